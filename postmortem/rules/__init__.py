"""Rule files: load, run, find."""
