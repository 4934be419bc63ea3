"""From a written workflow to its plan. Start at `plan`."""
