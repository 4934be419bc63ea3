"""What is left of runs, read again: their logs, the index that chains them, and whether all that is whole."""
