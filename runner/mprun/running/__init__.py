"""A run from its plan to its end: when each step starts, and how everything stops."""
