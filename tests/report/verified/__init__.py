"""Tests of the outputs of a command, one a file."""
