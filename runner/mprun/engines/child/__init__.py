"""The parent's side of one child."""
