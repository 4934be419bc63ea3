"""What the workers of a `multiprocessing.Pool` run: an initializer that sets the worker up, and one wrapper a call.

The wrapper is what the Pool maps. It tells the parent of each task over the worker's own pipe, as the Pool itself
says nothing before a `map` has ended; to the Pool it returns nothing, and raises nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mprun.errors import ConversionError
from mprun.events import timestamp
from mprun.worker import process
from mprun.worker.calling import Arguments, arguments_of
from mprun.worker.calls import CODES, Call, call, judge_stay, result_line
from mprun.worker.frames import RESULT, result_body
from mprun.worker.items import Load, item_loader
from mprun.worker.output import flush_output
from mprun.worker.pool_work import PoolWork, about_tasks, get_ready

if TYPE_CHECKING:
    from mprun.worker.keeping import Keeper  # which most workers have no need to load

_work: PoolWork
_function: Callable[..., Any]
_about: dict[str, Any]
_arguments_of: Callable[[Any], Arguments]
_load: Load | None
_keeper: Keeper | None


def set_up(work: PoolWork) -> None:
    """The Pool's initializer, which runs the user's."""
    global _work, _function, _about, _arguments_of, _load, _keeper
    _function, _work = get_ready(process.current, work)
    _arguments_of = arguments_of(_work.call, _work.kwargs)
    _load = item_loader(work)
    _keeper = _keeper_of(work)
    _about = about_tasks(process.current, work)


def _keeper_of(work: PoolWork) -> Keeper | None:
    if work.keep is None:
        return None
    from mprun.worker.keeping import Keeper

    return Keeper(work.keep, single=work.call == "apply")


def run_one(numbered: tuple[int, Any]) -> None:
    """One task of any call but `starmap` and `apply`: (index, item)."""
    _run(*numbered)


def run_star(task: int, item: Sequence[Any]) -> None:
    """One task of `starmap`: its index and the sequence of its arguments."""
    _run(task, item)


def run_apply(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """The one task of `apply`."""
    _run(0, (args, kwargs))


def _run(task: int, handed_over: Any) -> None:
    """Make the call of `task`; `handed_over` is its item, or what that is loaded from."""
    child = process.current
    if child.board.stopped:
        child.send(RESULT, result_body(task, CODES["cancelled"], _cancelled_line(task)))
        return
    child.board.begin(task, time.monotonic_ns())
    waited = max(0.0, time.time() - _work.submitted)
    ended, (args, kwargs) = _make_call(task, handed_over)
    flush_output()
    if _keeper is not None and ended.error is None:
        _keeper.tell(child)
    line = result_line(_about | {"task": task, "attempt": 1, "waited": round(waited, 6)}, ended, args, kwargs)
    child.send(RESULT, result_body(task, CODES[ended.outcome], line))
    child.board.end()


def _make_call(task: int, handed_over: Any) -> tuple[Call, Arguments]:
    """How the call of `task` ended, or the loading of its item, and its arguments as far as they are known."""
    item = handed_over
    if _load is not None:
        loaded = call(_load, (handed_over,), {}, judge_stay)
        if loaded.error is not None:
            return loaded, ((handed_over,), {})
        item = loaded.value
    arguments = _arguments_of(item)
    if _keeper is not None:
        _keeper.task = task
    ended = call(_function, *arguments, _keeper.judge if _keeper is not None else None)
    if isinstance(ended.error, ConversionError) and _work.decoding is not None:
        placed = ConversionError(f"{_work.decoding.place(handed_over)}: {ended.error}")
        ended = ended._replace(error=placed)
    return ended, arguments


def _cancelled_line(task: int) -> bytes:
    fields = {"ts": timestamp(time.time()), **_about, "task": task, "attempt": 1, "outcome": "cancelled"}
    fields["cancelled_by"] = "stop"
    return (json.dumps(fields)[1:] + "\n").encode()
