"""Where references may stand in a workflow, and what is put in their place before the start."""
