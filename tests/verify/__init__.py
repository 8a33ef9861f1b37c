"""Tests of `postmortem/verify`."""
