"""Tests of postmortem.parsing."""
