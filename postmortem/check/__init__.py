"""Many logs against what is expected of them and what is known: the check for CI."""
