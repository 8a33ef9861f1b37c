"""Files to clean text lines."""
