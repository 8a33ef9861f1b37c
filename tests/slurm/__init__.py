"""Tests that need a SLURM: `make slurm` starts one for them."""
