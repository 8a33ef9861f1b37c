"""Reference operations in plain PyTorch, one a file."""
