"""What models can't say about a workflow: each rule reads the data and yields its mistakes."""
