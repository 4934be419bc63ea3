"""Makes one call of a user's function, and describes its end as a finished line of the log.

An exception never leaves the child as an object, which might not survive pickling. It leaves as text, under the field
names of OpenTelemetry.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple

from mprun.language.targets import Target, resolve
from mprun.log.codec.lines import open_line
from mprun.log.values import to_json
from mprun.log.words import MAX_LINE, OUTCOMES, ROOM_FOR_SEQ, Outcome, timestamp
from mprun.plan.child_spec import Converts
from mprun.worker.calls.exceptions import MAX_STACKTRACE, exception_fields

MAX_ARGUMENTS = 8 * 1024  # bytes of the args, and of the kwargs, of a failed call

CODES: dict[Outcome, int] = {outcome: code for code, outcome in enumerate(OUTCOMES)}

# Values of exactly these types can always be pickled.
PLAIN_TYPES = frozenset({int, float, bool, str, bytes, type(None)})


class Call(NamedTuple):
    """How one call ended: with `value` if it returned, with `error` if not.

    `ended` is in seconds since the epoch, `duration` in seconds.
    """

    outcome: Outcome
    value: Any
    error: BaseException | None
    ended: float
    duration: float


def resolve_converting(
    target: Target, converts: Converts, strict: frozenset[int | str] = frozenset()
) -> Callable[..., Any]:
    """Return the object that `target` names. It converts its arguments if `converts` is not empty.

    `strict` are the positions and names of arguments that don't come from the file of the others. Raises as
    `resolve` does.
    """
    function = resolve(target)
    if not converts or _says_nothing(function):
        return function
    from mprun.worker.conversion.calls import converting

    return converting(function, converts, strict)


def _says_nothing(function: Any) -> bool:
    """Whether it is a plain function without annotations: no child imports the conversion for that."""
    try:
        return type(function) is FunctionType and not function.__annotations__ and not hasattr(function, "__wrapped__")
    except Exception:  # noqa: BLE001 -- Python 3.14 evaluates the annotations
        return False


def resolve_strict(target: Target) -> Callable[..., Any]:
    """As `resolve_converting`, for a function whose arguments stand in the workflow and are always converted."""
    return resolve_converting(target, "strict")


Judge = Callable[[Any, BaseException | None], tuple[Outcome, BaseException | None]]


def call(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], judge_by: Judge | None = None
) -> Call:
    """Call `function` and let `judge_by` (default: `judge`) decide the outcome. Raises nothing of the user's."""
    clock = time.perf_counter()
    try:
        value, error = function(*args, **kwargs), None
    except BaseException as raised:  # noqa: BLE001 -- whatever it is, it is this call's outcome
        value, error = None, raised
    duration = time.perf_counter() - clock
    outcome, error = (judge_by or judge)(value, error)
    return Call(outcome, value, error, time.time(), duration)


def judge(value: Any, error: BaseException | None) -> tuple[Outcome, BaseException | None]:
    """Return the outcome of a call that returned `value` or raised `error`.

    `sys.exit()` without a code counts as a return.
    """
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return "returned", None
    if error is not None:
        return "raised", error
    if type(value) not in PLAIN_TYPES:
        try:
            pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except BaseException as refused:  # noqa: BLE001 -- __reduce__ is the user's code
            return "unpicklable", refused
    return "returned", None


def judge_stay(value: Any, error: BaseException | None) -> tuple[Outcome, BaseException | None]:
    """As `judge`, for a value that stays in this process and need not be picklable."""
    return judge(None, error)


def result_line(
    about: Mapping[str, Any], ended: Call, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None
) -> bytes:
    """Return the line, without `seq`, of a call that ended. `about` identifies the call (`event`, `step`, `task`, …).

    `args` and `kwargs` are None for a call that never has arguments.
    """
    fields = {"ts": timestamp(ended.ended), **about, "outcome": ended.outcome}
    took = {"duration": f"{ended.duration:.6f}"}
    if ended.error is None:
        return open_line(fields, {"result": to_json(ended.value), **took})
    if ended.outcome == "unpicklable":
        fields["what"] = "result"
    exception = exception_fields(ended.error)
    given = {name: value for name, value in (("args", args), ("kwargs", kwargs)) if value is not None}
    called_with = {name: to_json(value, MAX_ARGUMENTS) for name, value in given.items()}
    line = open_line(fields | exception, called_with | took)
    if len(line) <= MAX_LINE - ROOM_FOR_SEQ:
        return line
    # A control character takes six bytes in JSON, so text that is bounded in characters can still be too long.
    exception = {name: ascii(text)[: MAX_STACKTRACE // 2] for name, text in exception.items()}
    return open_line(fields | exception, took)
