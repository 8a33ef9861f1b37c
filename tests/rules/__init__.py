"""Tests of postmortem.rules."""
