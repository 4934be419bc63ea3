"""The parameters of a workflow: what a file declares, the inputs, and the value of each parameter."""
