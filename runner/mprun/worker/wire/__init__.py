"""What passes between a child and its parent: frames over pipes, and memory that both share."""
