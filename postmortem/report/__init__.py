"""Outputs of an incident, one a file."""
