"""Where references may stand in a workflow, and what replaces them before the start."""
