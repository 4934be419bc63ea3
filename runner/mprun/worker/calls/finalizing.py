"""The last act of a pool's worker: it calls the pool's finalizer and reports how that ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mprun.language.targets import Target, resolve
from mprun.worker.boot.process import ChildProcess
from mprun.worker.calls.calls import CODES, Call, call, judge, result_line
from mprun.worker.wire.frames import FINAL, result_body
from mprun.worker.wire.output import flush_output

if TYPE_CHECKING:  # most workers have none of these and need not import them
    from mprun.results.files import ResultFiles
    from mprun.worker.calls.pool_setup import PoolWork
    from mprun.worker.wire.result_writer import Keeper


def finalize(child: ChildProcess, work: PoolWork, finalizer: Target) -> None:
    """Call `finalizer` and report its result, unless the parent has asked for a stop. A stored value is sent first."""
    if child.board.stopped:
        return
    child.board.begin_finalizer(time.monotonic_ns())
    ended, keeper = call_finalizer(finalizer, child.worker, work.final_files)
    flush_output()
    if keeper is not None and ended.error is None:
        keeper.tell(child)
    line = final_line(work.step, child.worker, child.pid, ended)
    child.send(FINAL, result_body(child.worker, CODES[ended.outcome], line))


def call_finalizer(finalizer: Target, worker: int, keep: ResultFiles | None) -> tuple[Call, Keeper | None]:
    """Return how the call ended, and what stores its value; None if the value is not stored.

    The value is stored as that of a task whose index is the worker's number.
    """
    keeper = None if keep is None else _keeper(keep, worker)
    return call(resolve(finalizer), (), {}, judge if keeper is None else keeper.judge), keeper


def final_line(step: str, worker: int, pid: int | None, ended: Call) -> bytes:
    """Return the event's line without `seq`."""
    return result_line({"event": "worker.finalized", "step": step, "worker": worker, "pid": pid}, ended, None, None)


def _keeper(files: ResultFiles, worker: int) -> Keeper:
    from mprun.worker.wire.result_writer import Keeper

    keeper = Keeper(files, single=False)
    keeper.task = worker
    return keeper
