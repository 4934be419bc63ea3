"""From a workflow file to a `Workflow`, or to every mistake in it. Start at `load.load`."""
