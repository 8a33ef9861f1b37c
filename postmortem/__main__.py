"""`python -m postmortem` is the command `postmortem`."""

from postmortem.cli import program

if __name__ == "__main__":  # and not where a worker process imports it
    program()
