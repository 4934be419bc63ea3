"""Going on from an earlier run: what it has done, what is to be done again and why, and one task of it by itself."""
