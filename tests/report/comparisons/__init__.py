"""Tests of postmortem.report.comparisons."""
