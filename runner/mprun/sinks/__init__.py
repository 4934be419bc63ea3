"""Readers of the event stream: the log, the display, the summary."""
