"""What each worker of a pool is told, and how it gets ready for the first task."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mprun.plan import Converts, LogTasks, PoolCall, Retries
from mprun.targets import Target
from mprun.worker.calls import resolve_converting
from mprun.worker.exceptions import exception_fields
from mprun.worker.frames import UNREADY
from mprun.worker.process import ChildProcess


@dataclass(frozen=True, slots=True)
class PoolWork:
    """`submitted` is when the tasks were given to a Pool that takes them all at once (seconds since the epoch)."""

    step: str
    call: PoolCall
    target: Target
    initializer: Target | None
    initargs: tuple[Any, ...]
    submitted: float
    retries: Retries
    log_tasks: LogTasks
    converts: Converts = ""


def get_ready(child: ChildProcess, work: PoolWork) -> Callable[..., Any]:
    """Resolve the target, run the initializer, and return the target; both convert their arguments if they are to.

    A failure is told to the parent and ends the worker (SystemExit): another one would fail as this one did.
    """
    try:
        function = resolve_converting(work.target, work.converts)
        if work.initializer is not None:
            resolve_converting(work.initializer, work.converts)(*work.initargs)
    except BaseException as error:  # noqa: BLE001 -- the user's code; told to the parent whatever it is
        child.send(UNREADY, json.dumps(exception_fields(error)).encode())
        raise SystemExit(1) from None
    return function


def about_tasks(child: ChildProcess, work: PoolWork) -> dict[str, Any]:
    """The fields that all results of this worker share."""
    return {"event": "task.result", "step": work.step, "worker": child.worker}
