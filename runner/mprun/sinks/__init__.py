"""Readers of the event stream for people: the display and the summary, and the text that commands print."""
