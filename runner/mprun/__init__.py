"""mprun: run multiprocessing Processes and Pools that a YAML file declares."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`mprun.ConversionError`, imported when it is asked for: the console entry loads next to nothing."""
    if name == "ConversionError":
        from mprun.errors import ConversionError

        return ConversionError
    raise AttributeError(f"module `mprun` has no attribute `{name}`")
