"""What the children of a run share, as the parent sees it: made, watched, freed."""
