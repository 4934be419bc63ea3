"""mprun in Python: load a workflow, run it, read what happened.

from mprun import load, read_run, run

if __name__ == "__main__":  # children import the main module again
    plan = load("flow.yaml", {"count": 3})
    result = run(plan)
    for event in result.events():
        print(event.seq, event.event)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mprun.errors.diagnostics import render_all
from mprun.errors.exceptions import ExitCode, LogError, UsageError, WorkflowError
from mprun.loading.params.inputs import ParamInput, ParamInputs
from mprun.loading.prepare import prepare
from mprun.log.codec.event import LineError, event_of
from mprun.log.reading.lines import blocks, refuse_newer
from mprun.log.reading.regular import open_regular
from mprun.log.schema.events import Event
from mprun.log.schema.typed import typed
from mprun.plan.plan import Plan
from mprun.resuming.earlier import earlier_run
from mprun.running.record import new_record, record_run
from mprun.runs.find import find_run
from mprun.sinks.display import choose_sinks


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    `outcome` is `succeeded`, `failed` or `interrupted`; `exit_code` is the exit code that the command would have. `log`
    is the path of the event log. `log_error` says why the log could not be written to its end; it is empty if it was.
    """

    run_id: str
    outcome: str
    exit_code: ExitCode
    log: str
    log_error: str

    @property
    def succeeded(self) -> bool:
        return self.exit_code is ExitCode.SUCCEEDED

    def events(self) -> Iterator[Event]:
        """Yield what happened, event by event, as `read_run` does. Raises UsageError, LogError."""
        return read_run(self.log)


def load(path: str | os.PathLike[str], params: Mapping[str, Any] | None = None, *, check_targets: bool = True) -> Plan:
    """Return the plan of the workflow file `path`. `params` are values for its parameters by name.

    With `check_targets`, a child imports the targets and checks them. Raises WorkflowError with every mistake found:
    its `diagnostics` has them as data, the note of the traceback as text.
    """
    given = tuple(ParamInput(name, value, False, "the params given to load") for name, value in (params or {}).items())
    try:
        return prepare(os.fspath(path), ParamInputs(given, os.getcwd()), check_targets=check_targets)
    except WorkflowError as error:
        error.add_note(render_all(error.diagnostics))
        raise


def run(
    plan: Plan,
    *,
    runs_dir: str | os.PathLike[str] = ".mprun",
    log: str | os.PathLike[str] = "",
    display: bool = False,
    reuse: str | os.PathLike[str] = "",
) -> RunResult:
    """Run `plan` to its end, and return how it ended. By then, every child is joined.

    The log goes to a folder of its own in `runs_dir`, or to the path `log`. It contains what children print; with
    `display`, the run also shows that, as the command does. `reuse` names an earlier run by its id, `latest` or a path;
    the run reuses its results if they are still the same work. SIGINT and SIGTERM stop the run in order, as they stop
    the command, so call this in the main thread.

    Raises LogError if the log can't be created, and UsageError in another thread or if there is no such earlier run.
    """
    if os.fspath(log) == "-":
        raise UsageError("a run in Python needs a log in a file: give `log` a path")
    if threading.current_thread() is not threading.main_thread():
        raise UsageError("a run in Python takes the signals that stop it, and so it is for the main thread")
    earlier = earlier_run(os.fspath(reuse), os.fspath(runs_dir)) if reuse else None
    record = new_record(plan, os.fspath(runs_dir), log=os.fspath(log))
    errors: list[str] = []
    sinks = choose_sinks(quiet=False, log_on_stdout=False) if display else []
    end = record_run(plan, record, sinks, errors.append, earlier=earlier)
    return RunResult(record.run_id, end.outcome, end.exit_code, record.log, "".join(errors))


def read_run(path: str | os.PathLike[str], runs_dir: str | os.PathLike[str] = ".mprun") -> Iterator[Event]:
    """Yield the events of a run in the order of its log, each as an object of its class in `mprun.log.schema.events`.

    `path` is the path of a run's folder or of a log, or a run's id or `latest` in `runs_dir`, as for the command. A
    torn last line is skipped. Events and keys that this version doesn't know are accepted. Raises UsageError if there
    is no such run or its format is newer, and LogError at a line that is not an event.
    """
    run = find_run(os.fspath(path), os.fspath(runs_dir))
    return _events(run.log)


def _events(path: str) -> Iterator[Event]:
    number = 0
    with open_regular(path) as file:
        for block in blocks(file):
            for line in block.removesuffix(b"\n").split(b"\n"):
                number += 1
                yield _event(path, number, line)


def _event(path: str, number: int, line: bytes) -> Event:
    try:
        event = event_of(line)
        if number == 1:
            refuse_newer(event, path)
        return typed(event)
    except LineError as error:
        raise LogError(f"{path}:{number}: {error}; `mprun verify` says what else is wrong") from error
    except ValueError as error:
        raise LogError(f"{path}:{number}: `seq` or `ts` is wrong; `mprun verify` says what else is") from error
