"""Results on disk: how one value is written and read."""
