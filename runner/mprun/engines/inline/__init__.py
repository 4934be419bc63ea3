"""A step whose calls are made in this process."""
