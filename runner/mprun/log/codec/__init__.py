"""The form of the log's lines. Every reader and writer of lines learns it here, and nowhere else."""
