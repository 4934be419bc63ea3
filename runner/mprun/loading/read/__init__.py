"""Workflow files as text, as data, and as one tree with the files that they include."""
