"""Many runs: found in folders and stores, judged side by side, and kept so that they can be asked."""
