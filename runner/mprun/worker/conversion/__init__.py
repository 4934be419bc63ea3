"""Converts arguments to what their annotations ask for: a text to a Path, a mapping to a dataclass."""
