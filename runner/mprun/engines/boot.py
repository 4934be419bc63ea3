"""Starts what children start from: the fork server with its preloaded modules, and a search path that no user's file
can break."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver, resource_tracker

from mprun.engines.table import POOL_ENGINES
from mprun.plan.plan import Plan, PoolStep
from mprun.system.temporary import claim_folder

# The fork server loads these once, so that no child has to import them.
_PRELOADED = ("mprun.worker.calls.step", "mprun.worker.calls.serve")
_PRELOADED_FOR_RESULTS = ("mprun.worker.wire.result_writer", "mprun.worker.calls.save")


def boot(plan: Plan) -> None:
    """Start the fork server if `plan` needs one and none runs. It boots while the caller continues."""
    if plan.start_method == "forkserver":
        engines = dict.fromkeys(step.engine for step in plan.steps if isinstance(step, PoolStep))
        for_engines = [module for engine in engines for module in POOL_ENGINES[engine].preloads]
        keeps = any(step.keeps or (isinstance(step, PoolStep) and step.keeps_finals) for step in plan.steps)
        boot_fork_server([*_PRELOADED, *for_engines, *(_PRELOADED_FOR_RESULTS if keeps else ())])


def boot_fork_server(preloaded: Sequence[str] = _PRELOADED) -> None:
    """Start the fork server if none runs. It runs no code of the user's, and ends with this process.

    Where it can't start, each child that needs it will report why.
    """
    with contextlib.suppress(OSError):
        _boot_fork_server(preloaded)


def _boot_fork_server(preloaded: Sequence[str]) -> None:
    claim_folder()  # the server's socket is in it
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(preloaded))
    with children_ignore_current_folder():
        resource_tracker.ensure_running()  # its start would unblock the signal
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C must reach this process alone
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def children_ignore_current_folder() -> Iterator[tuple[str, ...]]:
    """Start children without the current folder on their search path.

    Python puts it first for `python -c`, as which `multiprocessing` starts its children: a user's `types.py` there
    would break them before any code of ours runs. Yields the variables that the children must remove again.
    """
    if "PYTHONSAFEPATH" in os.environ:
        yield ()
        return
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield ("PYTHONSAFEPATH",)
    finally:
        del os.environ["PYTHONSAFEPATH"]
