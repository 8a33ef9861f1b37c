"""Tests of postmortem.report.outputs."""
