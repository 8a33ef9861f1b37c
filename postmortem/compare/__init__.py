"""Two runs or more beside each other: what differs in their settings, metrics, tensors and findings."""
