"""The small languages inside a workflow: targets, references, expressions, durations, labels."""
