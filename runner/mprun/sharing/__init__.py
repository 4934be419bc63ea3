"""What the children of a run share: multiprocessing's own things, each in a thin class that notes its uses."""
