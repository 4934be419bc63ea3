"""The last act of a pool's worker: it calls the pool's finalizer, and reports to the parent how that ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mprun.language.targets import Target, resolve
from mprun.worker.boot.process import ChildProcess
from mprun.worker.calls.calls import CODES, Call, call, judge, result_line
from mprun.worker.wire.frames import FINAL, result_body
from mprun.worker.wire.output import flush_output

if TYPE_CHECKING:  # most workers have none of these, and need not load them
    from mprun.results.files import ResultFiles
    from mprun.worker.calls.pool_setup import PoolWork
    from mprun.worker.wire.result_writer import Keeper


def finalize(child: ChildProcess, work: PoolWork, finalizer: Target) -> None:
    """Call `finalizer`, unless the parent wants nothing more to start. A stored value is sent before the result."""
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
    """How the call ended, and what has kept its value, if that is kept: as that of a task with the worker's number."""
    keeper = None if keep is None else _keeper(keep, worker)
    return call(resolve(finalizer), (), {}, judge if keeper is None else keeper.judge), keeper


def final_line(step: str, worker: int, pid: int | None, ended: Call) -> bytes:
    """The event's line without `seq`."""
    return result_line({"event": "worker.finalized", "step": step, "worker": worker, "pid": pid}, ended, None, None)


def _keeper(files: ResultFiles, worker: int) -> Keeper:
    from mprun.worker.wire.result_writer import Keeper

    keeper = Keeper(files, single=False)
    keeper.task = worker
    return keeper
