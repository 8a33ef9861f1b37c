"""Where findings meet experiments: what is replayed for which finding, within an analysis and alone."""
