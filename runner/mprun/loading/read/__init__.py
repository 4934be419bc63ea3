"""Workflow files as text, as data, and as one tree with those that they include."""
