"""Bytes that nobody thought of, for the readers: `make fuzz`."""
