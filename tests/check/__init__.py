"""Tests of `postmortem/check`."""
