"""What the child of a process step runs: the step's one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mprun.language.references import evaluate
from mprun.language.targets import Target
from mprun.plan.child_spec import FROM_FILES, Converts, Retries
from mprun.worker.boot import process
from mprun.worker.calls.calls import CODES, Call, call, judge_stay, resolve_converting, result_line
from mprun.worker.calls.retry import RetryPolicy
from mprun.worker.wire.frames import RESULT, RETRY, result_body, retry_body
from mprun.worker.wire.output import flush_output

if TYPE_CHECKING:  # most children have none of these and need not import them
    from mprun.plan.call_files import CallFiles
    from mprun.results.files import ResultFiles
    from mprun.sources.decoding import Decoding
    from mprun.worker.calls.pool_setup import ItemsAre
    from mprun.worker.calls.scope import Scope
    from mprun.worker.wire.result_writer import Keeper


@dataclass(frozen=True, slots=True)
class ProcessWork:
    """The call that a child makes.

    `scope` has the values of the references in its arguments; None if there are none. `keep` says where its value is
    stored; None: nowhere. The `item` in the scope may be something from which the child loads the item: `items_are`
    says what, `items_from` which files it refers to, `decoding` how to read a row.
    """

    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    retries: Retries
    converts: Converts
    scope: Scope | None = None
    keep: ResultFiles | None = None
    decoding: Decoding | None = None
    items_are: ItemsAre = "values"
    items_from: ResultFiles | None = None
    items_refer: bool = False
    files: CallFiles | None = None


class Made(NamedTuple):
    """A call that was made: how it ended, its arguments, and what stored its value (None if nothing did)."""

    ended: Call
    args: Any
    kwargs: Any
    keeper: Keeper | None


def run_process(work: ProcessWork, about: Mapping[str, Any]) -> None:
    """Resolve the step's target, call it, and report how that ended. This is the `target` of the Process.

    `about` are the fields of the result event that the parent knows: `step`, `attempt`, and `task` in a fan-out.
    """
    child = process.current
    about = {**about, "pid": child.pid}
    ended, args, kwargs, keeper = make_call(work, about, child.board.begin)
    flush_output()
    if keeper is not None and ended.error is None:
        # The value goes before the result: a result in the log must have its value.
        keeper.tell(child)
    code = CODES[ended.outcome]
    delay = RetryPolicy(work.retries).delay(about["attempt"], ended.outcome, ended.error) if ended.error else None
    if delay is None:
        line = result_line({"event": "process.result", **about}, ended, args, kwargs)
        child.send(RESULT, result_body(0, code, line))
    else:
        line = result_line({"event": "process.retried", **about, "retry_in": round(delay, 6)}, ended, args, kwargs)
        child.send(RETRY, retry_body(0, code, delay, line))


def make_call(work: ProcessWork, about: Mapping[str, Any], begin: Callable[[int, int], None]) -> Made:
    """Prepare the call of `work` and make it; a failure of the preparation counts as the call's failure.

    Calls `begin(task, ns)` between the two.
    """
    args: Any
    kwargs: Any
    args, kwargs = evaluate((work.args, work.kwargs), str)  # for the log, if the preparation fails
    keeper = None if work.keep is None else _keeper(work.keep, about)
    ended = call(_get_ready, (work,), {}, judge_stay)
    if ended.error is None:
        function: Any
        function, args, kwargs = ended.value or (None, args, kwargs)  # None: the import of the target called sys.exit()
        begin(about.get("task", 0), time.monotonic_ns())
        ended = call(function, args, kwargs, None if keeper is None else keeper.judge)
    return Made(ended, args, kwargs, keeper)


def _get_ready(work: ProcessWork) -> tuple[Callable[..., Any], Any, Any]:
    """Return the function and its arguments, with references replaced by their values."""
    function = resolve_converting(
        work.target, work.converts, _strict(work) if work.converts in FROM_FILES else frozenset()
    )
    if work.scope is None:
        return _with_files(function, work), work.args, work.kwargs
    if "item" in work.scope.given:
        _load_item(work, work.scope.given)
    args, kwargs = work.scope.evaluate((work.args, work.kwargs))
    return _with_files(function, work), args, kwargs


def _with_files(function: Callable[..., Any], work: ProcessWork) -> Callable[..., Any]:
    """`function`, which checks the files of its call, where the step names any."""
    if work.files is None:
        return function
    from mprun.worker.calls.call_files import with_files
    from mprun.worker.calls.scope import Scope

    of_call = work.files.of_call((work.scope or Scope()).evaluate)
    return with_files(function, of_call, work.files.notes)


def _strict(work: ProcessWork) -> frozenset[int | str]:
    from mprun.worker.calls.strict import strict_arguments

    given = () if work.scope is None else work.scope.given
    return strict_arguments(work.args, work.kwargs, [scope for scope in ("item", "matrix") if scope in given])


def _load_item(work: ProcessWork, given: dict[str, Any]) -> None:
    """Load the item of a cell from what the parent sent."""
    from mprun.worker.calls.items import item_loader

    load = item_loader(work)
    if load is not None:
        given["item"] = load(given["item"])


def _keeper(files: ResultFiles, about: Mapping[str, Any]) -> Keeper:
    from mprun.worker.wire.result_writer import Keeper

    keeper = Keeper(files, single="task" not in about)
    keeper.task, keeper.attempt = about.get("task", 0), about["attempt"]
    return keeper
