"""Tests of postmortem.signals."""
