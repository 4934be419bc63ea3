"""The plan: what a run does, with every default applied; and what is computed from it alone."""
