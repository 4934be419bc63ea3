"""The event log: its words, values and lines, its seals, and the file that holds them."""
