"""A plan as a plain `multiprocessing` program: `mprun plan FILE --python`."""
