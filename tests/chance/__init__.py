"""What is tried at random, or in every way: workflows and changes to them, damage to logs, storms of signals."""
