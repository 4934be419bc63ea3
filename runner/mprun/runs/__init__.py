"""A folder of runs: which runs it holds, which one a reference means, and which may be pruned."""
