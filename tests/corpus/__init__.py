"""Real logs that are no part of the repository, and what a person reads in them."""
