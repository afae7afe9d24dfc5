"""Which model on which hardware: the servers that start, ranked for a team."""
