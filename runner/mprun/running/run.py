"""Runs a plan to its end with one loop, one scheduler and one event stream. It leaves no child behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mprun import __version__
from mprun.engines.boot import boot, children_ignore_current_folder
from mprun.engines.results.store import Store
from mprun.engines.results.tracking import Earlier, Tracking
from mprun.engines.seam import Run
from mprun.engines.slots import Slots
from mprun.errors.exceptions import ExitCode
from mprun.log.head import HeadFile
from mprun.log.masking import Mask
from mprun.log.words import LOG_FORMAT
from mprun.log.writer import EventLog
from mprun.plan.plan import Plan, declared_tasks, plan_sha256, when
from mprun.plan.trial import Trial, diverted, diverts
from mprun.planning.bind import bind
from mprun.running.identity import GitState, surroundings
from mprun.running.shared import SharedThings
from mprun.running.stages import Stages
from mprun.running.stop import FailFast
from mprun.running.stream import EventStream
from mprun.sinks.sink import Sink
from mprun.system.loop import ENDING, Loop
from mprun.system.temporary import claim_folder, remove_abandoned_folders

TICK = 0.25  # seconds between two redraws of a display with a clock
CODE_DELAY = 0.05  # seconds until the code of started steps is read, so that their children start first


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended."""

    exit_code: ExitCode
    outcome: str
    log_error: str
    seal: str  # the last seal of the log; empty if the log was not written to its end


def run_plan(
    plan: Plan,
    run_id: str,
    log_fd: int,
    sinks: Sequence[Sink],
    on_log_error: Callable[[str], None],
    head: HeadFile | None = None,
    git: GitState | None = None,
    folder: str = "",
    earlier: Earlier | None = None,
    *,
    inline: bool = False,
    trial: str = "",
) -> RunEnd:
    """Run `plan`, log to the descriptor `log_fd`, and return when every child is joined.

    `head` records how far the log has come. Results go to the run's `folder`, or without one to a temporary folder.
    SIGINT, SIGTERM and SIGHUP stop the run; Ctrl-Z suspends it. If the log can't be written any more, the run calls
    `on_log_error` with the reason and continues. `git` is the query for the state of the workflow's repository, if the
    caller has started it already. The run reuses results of `earlier`. With `inline`, this process makes all calls.
    `trial` is the folder for the files of a plan that is a trial.
    """
    began = time.monotonic()
    claim_folder()
    mask = Mask(plan.secrets.values())
    git = git or GitState(os.path.dirname(plan.workflow))
    with (
        contextlib.ExitStack() as last,
        Loop() as loop,
        children_ignore_current_folder() as unset,
        _children_can_be_waited_for(),
        contextlib.closing(Store(folder, mask.forms)) as store,
        contextlib.closing(Tracking(plan, folder, store, earlier)) as tracking,
        contextlib.ExitStack() as things,
    ):
        log = EventLog(log_fd, loop, on_log_error, head)
        last.callback(log.release)  # last, when nothing in the run's folder is in use: the lock keeps `prune` away
        events = EventStream(log, sinks, mask)
        bound = bind(plan, {"id": run_id, "dir": folder})
        try_out = Trial(trial, os.path.dirname(plan.workflow), folder) if trial and diverts(plan) else None
        bound = bound if try_out is None else diverted(bound, try_out)
        shared = things.enter_context(contextlib.closing(SharedThings(plan, run_id, events)))
        parts = (store, tracking, shared.sharer)
        run = Run(bound, loop, events, unset, Slots(plan.max_parallel), *parts, mask=mask, inline=inline, trial=try_out)
        stages = Stages(run)
        loop.on_signals(ENDING, lambda number: stages.stopper.on_signal(number))
        _follow_suspension(loop, stages)
        if plan.fail_fast:
            events.add(FailFast(plan, lambda step: stages.stopper.fail_fast(step), store))
        shared.watch(run, lambda: stages.at_work)
        if plan.timeout:
            loop.call_later(plan.timeout, lambda: stages.stopper.time_out())
        # Before the head of the log, which waits for git: the fork server imports its modules in the meantime.
        if not inline:
            boot(plan)
        events.emit("run.started", **_head(plan, run_id, git), **_resumes(earlier), **_trial(try_out))
        loop.call_soon(remove_abandoned_folders)  # at leisure, while the first children boot
        loop.call_later(TICK, partial(_tick, loop, events))
        loop.call_later(CODE_DELAY, partial(_read_code, loop, tracking))
        try:
            stages.run()
        except BaseException:  # a fault of ours: without this, Python would wait for the children at its exit
            stages.stopper.kill_all("a fault of mprun's own")
            raise
        shared.close()  # before the run's end, because this logs what it frees
        tracking.close()  # while the log is locked, so that nobody prunes the run
        exit_code = _exit_code(stages, log)
        events.emit(
            "run.finished",
            outcome=_OUTCOMES[exit_code],
            exit_code=int(exit_code),
            steps=len(plan.steps),
            tasks=stages.tasks.total(),
            **stages.tasks,
            **tracking.reused(),
            duration=round(time.monotonic() - began, 6),
        )
        log.close()
        if log.error and exit_code is ExitCode.SUCCEEDED:
            exit_code = ExitCode.FAILED
    return RunEnd(exit_code, _OUTCOMES[exit_code], log.error, "" if log.error else log.seal)


_OUTCOMES = {
    ExitCode.SUCCEEDED: "succeeded",
    ExitCode.FAILED: "failed",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "interrupted",
}


def _follow_suspension(loop: Loop, stages: Stages) -> None:
    """Suspend every child on Ctrl-Z, and continue them when this process continues.

    Each child has a process group of its own, so the terminal signals only this process.
    """

    def suspend(number: int) -> None:
        _signal_all(stages, signal.SIGSTOP)
        # Only the default action stops a process. With the handler in place, the kill below would call this function
        # again.
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # blocks here until the shell continues this process
        signal.signal(signal.SIGTSTP, before)
        _signal_all(stages, signal.SIGCONT)

    loop.on_signals([signal.SIGTSTP], suspend)


def _signal_all(stages: Stages, number: int) -> None:
    for execution in stages.at_work:
        execution.signal(number)


def _tick(loop: Loop, events: EventStream) -> None:
    events.tick()
    loop.call_later(TICK, partial(_tick, loop, events))


def _read_code(loop: Loop, tracking: Tracking) -> None:
    """Read one module of the steps that have started; the loop's next pass reads the next one."""
    more = tracking.advance()
    loop.call_later(0.0 if more else TICK, partial(_read_code, loop, tracking))


def _exit_code(stages: Stages, log: EventLog) -> ExitCode:
    if stages.requests.signal:
        return ExitCode.INTERRUPTED if stages.requests.signal == signal.SIGINT else ExitCode.TERMINATED
    if log.error or not stages.all_succeeded:
        return ExitCode.FAILED
    return ExitCode.SUCCEEDED


def _head(plan: Plan, run_id: str, git: GitState) -> dict[str, Any]:
    return {
        "log_format": LOG_FORMAT,
        "run_id": run_id,
        "name": plan.name,
        "workflow": plan.workflow,
        "workflow_sha256": plan.workflow_sha256,
        **({"included": plan.included} if plan.included else {}),
        "plan_sha256": plan_sha256(plan),
        "command_line": sys.argv,
        "mprun": __version__,
        "pid": os.getpid(),
        **surroundings(),
        "start_method": plan.start_method,
        **git.fields(),
        "steps": [
            {
                "step": step.name,
                "kind": step.kind,
                "tasks": declared_tasks(step),
                **({"when": when(step)} if when(step) else {}),
            }
            for step in plan.steps
        ],
    }


def _resumes(earlier: Earlier | None) -> dict[str, str]:
    return {} if earlier is None else {"resumes": earlier.run_id}


def _trial(trial: Trial | None) -> dict[str, str]:
    return {} if trial is None else {"trial": trial.folder}


@contextlib.contextmanager
def _children_can_be_waited_for() -> Iterator[None]:
    """Restore the default action of SIGCHLD during the run.

    If mprun was started with SIGCHLD ignored, the kernel discards the exit codes of its children.
    """
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)
