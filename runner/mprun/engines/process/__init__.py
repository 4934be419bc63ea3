"""A process step: one call, or one for each cell, each in a `multiprocessing.Process` of its own."""
