"""What models can't check in a workflow. Each rule takes the data and yields its mistakes."""
