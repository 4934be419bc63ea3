"""The calls that a child makes, from the item to the log line of the result."""
