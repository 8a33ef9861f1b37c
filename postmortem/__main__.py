"""`python -m postmortem` is the command `postmortem`."""

from postmortem.cli import main

main()
