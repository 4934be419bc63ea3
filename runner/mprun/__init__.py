"""mprun: run multiprocessing Processes and Pools that a YAML file declares."""

__version__ = "0.1.0"
