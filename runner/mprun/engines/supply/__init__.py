"""Where a pool's items come from while it is at work. Start at `table`."""
