"""What the workers of a `multiprocessing.Pool` run: an initializer that sets the worker up, and one wrapper per call.

The Pool maps the wrapper. The wrapper reports each task to the parent over the worker's own pipe, because the Pool
reports nothing before a `map` has ended. The wrapper returns nothing to the Pool, and raises nothing.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mprun.log.codec.lines import open_line
from mprun.log.words import timestamp
from mprun.worker.boot import process
from mprun.worker.calls.calls import CODES, result_line
from mprun.worker.calls.finalizing import finalize
from mprun.worker.calls.pool_setup import PoolWork, about_tasks, get_ready
from mprun.worker.calls.tasks import Tasks
from mprun.worker.wire.frames import RESULT, result_body
from mprun.worker.wire.output import flush_output

_work: PoolWork
_tasks: Tasks
_about: dict[str, Any]


def run_worker(target: Callable[..., None], *args: Any) -> None:
    """Run `target`, which is the Pool's own worker loop, and then the finalizer. This is the target of the Process."""
    target(*args)
    if _work.finalizer is not None:
        finalize(process.current, _work, _work.finalizer)


def set_up(work: PoolWork) -> None:
    """The Pool's initializer. It calls the user's initializer."""
    global _work, _about, _tasks
    function, _work = get_ready(process.current, work)
    _tasks = Tasks(function, _work)
    _about = about_tasks(process.current, work)
    process.current.board.get_ready()


def run_one(numbered: tuple[int, Any]) -> None:
    """Run one task of any call but `starmap` and `apply`: (index, item)."""
    _run(*numbered)


def run_star(task: int, item: Sequence[Any]) -> None:
    """Run one task of `starmap`: its index and the sequence of its arguments."""
    _run(task, item)


def run_apply(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Run the one task of `apply`."""
    _run(0, (args, kwargs))


def _run(task: int, packed: Any) -> None:
    """Run `_make_call`, and end the worker if that can't report how the call ended.

    The Pool would take the error as the result of the task, and the parent would wait for the task forever.
    """
    try:
        _make_call(task, packed)
    except BaseException:  # noqa: BLE001 -- no memory is left, or the task has damaged its interpreter
        try:
            traceback.print_exc()
        finally:
            os._exit(1)


def _make_call(task: int, packed: Any) -> None:
    """Call the target for `task`. `packed` is the item, or what the item is loaded from."""
    child = process.current
    if child.board.stopped:
        child.send(RESULT, result_body(task, CODES["cancelled"], _cancelled_line(task)))
        return
    child.board.begin(task, time.monotonic_ns())
    waited = max(0.0, time.time() - _work.submitted)
    ended, (args, kwargs) = _tasks.make(task, packed)
    flush_output()
    if _tasks.keeper is not None and ended.error is None:
        # The value goes before the result: a result in the log must have its value.
        _tasks.keeper.tell(child)
    about = _about | {"task": task, "attempt": 1, "waited": round(waited, 6)} | _tasks.key
    line = result_line(about, ended, args, kwargs)
    child.send(RESULT, result_body(task, CODES[ended.outcome], line))
    child.board.end()


def _cancelled_line(task: int) -> bytes:
    fields = {"ts": timestamp(time.time()), **_about, "task": task, "attempt": 1, "outcome": "cancelled"}
    fields["cancelled_by"] = "stop"
    return open_line(fields)
