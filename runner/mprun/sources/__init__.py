"""Where the items of a pool or of a fan-out come from: one small class per source. Start at `table`."""
