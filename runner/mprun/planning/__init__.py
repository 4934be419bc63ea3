"""From what a workflow declares to a plan, and a plan shown: as a table, as a Python program."""
