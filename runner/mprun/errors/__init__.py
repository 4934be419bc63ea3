"""What can go wrong: the exceptions, the diagnostics that they carry, and the places that those point at."""
