"""What one function or class does: no process is started, so that all of it runs while somebody types."""
