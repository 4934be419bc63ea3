"""What the parent keeps of a run's results: which task has its outcome, and where its value lies."""
