"""What can go wrong: exceptions, the diagnostics that they carry, and the places that these point at."""
