"""Arguments as their annotations ask for them: a text becomes a Path, a mapping a dataclass, or it is told why not."""
