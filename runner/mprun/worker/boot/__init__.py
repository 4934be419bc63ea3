"""How a child starts: its Process and its pipes, and how it ends when its parent is gone."""
