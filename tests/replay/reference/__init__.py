"""Tests of the reference operations."""
