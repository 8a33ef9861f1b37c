"""Tests of `postmortem/compare`."""
