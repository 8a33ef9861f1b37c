"""Text lines to frames, by the dialects in `formats/`."""
