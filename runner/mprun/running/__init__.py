"""A run from its plan to its end: which step starts when, and how everything is brought to a stop."""
