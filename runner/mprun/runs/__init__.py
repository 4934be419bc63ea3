"""A folder of runs: which there are, which one is meant, and which may go."""
