"""How a child starts: its Process, its pipes, and its end when its parent is gone."""
