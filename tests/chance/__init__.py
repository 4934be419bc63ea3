"""What holds at random: workflows made by chance, changes to them, and storms of signals."""
