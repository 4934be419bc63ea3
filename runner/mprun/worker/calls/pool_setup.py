"""What each worker of a pool gets, and how it prepares for its first task."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from mprun.language.targets import Target, resolve
from mprun.plan.child_spec import Converts, LogTasks, PoolCall, Retries
from mprun.worker.boot.process import ChildProcess
from mprun.worker.calls.calls import resolve_converting
from mprun.worker.calls.exceptions import exception_fields
from mprun.worker.wire.frames import UNREADY

if TYPE_CHECKING:  # most workers have none of these, and need not load them
    from mprun.language.references import Reference, Template
    from mprun.plan.call_files import CallFiles
    from mprun.results.files import ResultFiles
    from mprun.sources.decoding import Decoding
    from mprun.worker.calls.scope import Scope

# What the parent sends in the place of an item: the item itself; its pickle; the place of the result that it is; or its
# index in the list that a step's single result is, with the place of that result.
ItemsAre = Literal["values", "pickles", "results", "places"]


@dataclass(frozen=True, slots=True)
class PoolWork:
    """The work of a pool, as each of its workers gets it.

    - `submitted`: when a Pool that takes all tasks at once got them (seconds since the epoch)
    - `keep`: where the values that tasks return are stored; None: nowhere
    - `kwargs`: the same for each task
    - `command`: the arguments of `run_command`, which runs a program instead of the target
    - `scope`: the values of references in `initargs`, `kwargs`, `command` and, with `items_refer`, in items; or None
    - `items_from`: the step whose results are the items
    - `items_are`: what the parent sends in the place of items; `decoding`: how to read that
    - `keys`: the label of a task
    - `final_files`: where the value that the finalizer returns is stored; None: nowhere
    """

    step: str
    call: PoolCall
    target: Target
    initializer: Target | None
    initargs: tuple[Any, ...]
    submitted: float
    retries: Retries
    log_tasks: LogTasks
    converts: Converts = ""
    keep: ResultFiles | None = None
    scope: Scope | None = None
    items_refer: bool = False
    items_are: ItemsAre = "values"
    items_from: ResultFiles | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    decoding: Decoding | None = None
    command: tuple[Any, ...] = ()
    keys: str | Reference | Template = ""
    finalizer: Target | None = None
    final_files: ResultFiles | None = None
    files: CallFiles | None = None


def get_ready(child: ChildProcess, work: PoolWork) -> tuple[Callable[..., Any], PoolWork]:
    """Prepare as `set_up` does. Report a failure to the parent and end the worker, because another one would fail too.

    Raises SystemExit.
    """
    try:
        return set_up(work)
    except BaseException as error:  # noqa: BLE001 -- the user's code; reported to the parent whatever it is
        child.send(UNREADY, json.dumps(exception_fields(error)).encode())
        raise SystemExit(1) from None


def set_up(work: PoolWork) -> tuple[Callable[..., Any], PoolWork]:
    """Resolve the targets, call the initializer, and return the target and the work with its references resolved.

    Target and initializer convert their arguments if the step says so. Raises whatever the user's code raises.
    """
    if work.scope is not None:
        work = replace(work, initargs=work.scope.evaluate(work.initargs), kwargs=work.scope.evaluate(work.kwargs))
    function = _command(work) if work.command else resolve_converting(work.target, work.converts, _strict(work))
    if work.files is not None:
        function = _with_files(function, work, work.files)
    if work.initializer is not None:
        resolve_converting(work.initializer, work.converts and "strict")(*work.initargs)
    if work.finalizer is not None:
        resolve(work.finalizer)  # now, because a mistake found at the end would cost all results of the worker
    return function, work


def _strict(work: PoolWork) -> frozenset[int | str]:
    """The names of the arguments that don't come from items: a row's columns replace those of the same name."""
    columns = getattr(work.decoding, "names", ()) if work.call == "starmap" else ()
    return frozenset(work.kwargs) - frozenset(columns)


def _command(work: PoolWork) -> Callable[..., Any]:
    from mprun.worker.command import CommandCall

    return CommandCall(work.command, work.call, work.scope)


def _with_files(function: Callable[..., Any], work: PoolWork, files: CallFiles) -> Callable[..., Any]:
    from mprun.worker.calls.call_files import FilesCall

    return FilesCall(function, work.call, files, work.scope)


def about_tasks(child: ChildProcess, work: PoolWork) -> dict[str, Any]:
    """Return the fields that all results of this worker share."""
    return {"event": "task.result", "step": work.step, "worker": child.worker}
