"""What a user sees of whole runs: by the command, by a program, by the pages that show them."""
