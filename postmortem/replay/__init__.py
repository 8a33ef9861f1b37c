"""Findings to verdicts, by small reimplementations."""
