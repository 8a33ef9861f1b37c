"""Tests of what is made of many runs."""
