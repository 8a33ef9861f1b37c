"""Tests of the outputs of a check."""
