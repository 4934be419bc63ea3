"""The parameters of a workflow: what is declared, what is given, and the value of each."""
