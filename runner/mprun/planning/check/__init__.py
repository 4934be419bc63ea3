"""Checks of a plan before it starts: its targets, in a child, and its programs."""
