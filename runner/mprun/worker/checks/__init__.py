"""The child that checks targets before a run, without calling them."""
