"""The plan: what a run does, with every default applied; and what can be computed from the plan alone."""
