"""A pool step on mprun's own workers. Start at `pool`."""
