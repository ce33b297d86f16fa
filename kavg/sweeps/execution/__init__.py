"""Points of a stage in batches, and the ranks that run these."""
