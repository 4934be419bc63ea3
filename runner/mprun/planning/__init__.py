"""From a workflow to its plan, and the plan shown: as a table, as a Python program."""
