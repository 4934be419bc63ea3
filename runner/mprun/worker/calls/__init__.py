"""The calls that a child makes, from an item to the line that reports how its call ended."""
