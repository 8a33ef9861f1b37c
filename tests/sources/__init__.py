"""Tests of postmortem.sources."""
