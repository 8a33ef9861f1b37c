"""Tests of `postmortem/lab`."""
