"""What the child of a process step runs: the step's one call."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mprun.handed import Converts, Retries
from mprun.targets import Target
from mprun.worker import process
from mprun.worker.again import Again
from mprun.worker.calls import CODES, call, judge_stay, resolve_converting, result_line
from mprun.worker.frames import AGAIN, RESULT, again_body, result_body
from mprun.worker.output import flush_output

if TYPE_CHECKING:  # most children have none of these, and need not load them
    from mprun.results import ResultFiles
    from mprun.scope import Scope
    from mprun.worker.keeping import Keeper


def run_process(
    target: Target,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    about: Mapping[str, Any],
    retries: Retries,
    converts: Converts = "",
    scope: Scope | None = None,
    keep: ResultFiles | None = None,
) -> None:
    """The `target` of the Process: resolve the step's target here, call it, tell the parent how it ended.

    `about` are the fields of the result event that the parent knows: `step`, `attempt`. `scope` has the values of the
    references in the arguments, None where there are none; `keep` says where what it returns is kept, if it is.
    """
    child = process.current
    about = {**about, "pid": child.pid}
    keeper = None if keep is None else _keeper(keep, about["attempt"])
    ended = call(_get_ready, (target, args, kwargs, converts, scope), {}, judge_stay)
    if ended.error is None:
        function: Any
        function, args, kwargs = ended.value or (None, args, kwargs)  # None: the import has called sys.exit()
        child.board.begin(0, time.monotonic_ns())
        ended = call(function, args, kwargs, None if keeper is None else keeper.judge)
    flush_output()
    if keeper is not None and ended.error is None:
        keeper.tell(child)
    code = CODES[ended.outcome]
    delay = Again(retries).delay(about["attempt"], ended.outcome, ended.error) if ended.error else None
    if delay is None:
        line = result_line({"event": "process.result", **about}, ended, args, kwargs)
        child.send(RESULT, result_body(0, code, line))
    else:
        line = result_line({"event": "process.retried", **about, "retry_in": round(delay, 6)}, ended, args, kwargs)
        child.send(AGAIN, again_body(0, code, delay, line))


def _get_ready(
    target: Target, args: Sequence[Any], kwargs: Mapping[str, Any], converts: Converts, scope: Scope | None
) -> tuple[Any, Any, Any]:
    """The function and its arguments, with what references stand for in their place."""
    function = resolve_converting(target, converts)
    if scope is not None:
        args, kwargs = scope.evaluate((args, kwargs))
    return function, args, kwargs


def _keeper(files: ResultFiles, attempt: int) -> Keeper:
    from mprun.worker.keeping import Keeper

    keeper = Keeper(files, single=True)
    keeper.attempt = attempt
    return keeper
