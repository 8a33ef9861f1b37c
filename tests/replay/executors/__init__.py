"""Tests of where pieces of work run."""
