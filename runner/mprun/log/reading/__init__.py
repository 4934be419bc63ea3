"""Reads a log's lines: blocks of whole lines, selected events, the last lines, and a run in summary."""
