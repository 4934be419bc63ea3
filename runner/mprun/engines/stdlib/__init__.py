"""A pool step on `multiprocessing.Pool`. Start at `pool`."""
