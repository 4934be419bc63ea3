"""The event log: its words, values, lines, seals and its file."""
