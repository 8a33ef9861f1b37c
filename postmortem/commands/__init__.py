"""The commands, one file each: its name is the command's, its object `command` the click command.

A file imports click and other light modules at its top, and what it works with when it runs: `--help` loads all files.
"""
