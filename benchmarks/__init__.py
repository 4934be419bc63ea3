"""mprun and its peers at the same work. `python -m benchmarks` from the checkout's root; see README.md."""
