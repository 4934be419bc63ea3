"""mprun: run multiprocessing Processes and Pools that a YAML file declares.

In Python: `load` a workflow file into a plan, `run` it, `read_run` what a log says. `mprun.api` describes them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers read it as True; importing `typing` takes longer than all the rest
if TYPE_CHECKING:
    from mprun.api import RunResult, load, read_run, run
    from mprun.errors.exceptions import (
        CommandFailed,
        ConversionError,
        InputMissing,
        ItemError,
        LogError,
        MprunError,
        OutputMissing,
        SecretError,
        UsageError,
        WorkflowError,
    )
    from mprun.log.schema.events import Event
    from mprun.log.schema.typed import OtherEvent
    from mprun.plan.plan import Plan

__version__ = "0.1.0"

__all__ = [
    "CommandFailed",
    "ConversionError",
    "Event",
    "InputMissing",
    "ItemError",
    "LogError",
    "MprunError",
    "OtherEvent",
    "OutputMissing",
    "Plan",
    "RunResult",
    "SecretError",
    "UsageError",
    "WorkflowError",
    "load",
    "read_run",
    "run",
]

# Each is imported at its first use: every child imports this module, but none of these names.
_EXCEPTIONS = (
    *("CommandFailed", "ConversionError", "InputMissing", "ItemError", "LogError", "MprunError", "OutputMissing"),
    *("SecretError", "UsageError", "WorkflowError"),
)
_HOMES = {
    **dict.fromkeys(("load", "run", "read_run", "RunResult"), "mprun.api"),
    **dict.fromkeys(_EXCEPTIONS, "mprun.errors.exceptions"),
    "Event": "mprun.log.schema.events",
    "OtherEvent": "mprun.log.schema.typed",
    "Plan": "mprun.plan.plan",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
