"""Decides whether a log is whole and unchanged. Start at `verify`."""
