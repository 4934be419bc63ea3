"""A run's log in the forms that other programs read."""
