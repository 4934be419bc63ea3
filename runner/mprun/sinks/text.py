"""Small pieces of text for people: text from users is escaped and bounded, numbers are readable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_SHOWN = 120  # characters of one value


def shown(text: str) -> str:
    """Return `text` with control characters escaped, so that text from a user's code can't move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def value(data: Any) -> str:
    """Return a result from the log as short JSON."""
    text = shown(json.dumps(data, ensure_ascii=False))
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def duration(seconds: float) -> str:
    """Return `seconds` as `0.123 s`, `12.3 s`, `3m07s` or `2h05m`."""
    if seconds < 10:
        return f"{seconds:.3f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as text such as `0, 3-5, 9`."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in found)


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def counts_text(counts: Mapping[str, int], reused: int) -> str:
    """Return how many tasks had which outcome, such as `7 returned (4 reused), 1 timed out`; empty for none."""
    return ", ".join(
        f"{count:,} {outcome.replace('_', ' ')}{f' ({reused:,} reused)' if reused and outcome == 'returned' else ''}"
        for outcome, count in counts.items()
        if count
    )


def reused_text(counts: Mapping[str, Any], form: str = "{}") -> str:
    """Return how many of the tasks that `counts` is about were reused, put into `form`; empty for none."""
    reused, tasks = counts.get("reused_tasks", 0), counts.get("tasks", 0)
    if not reused:
        return ""
    return form.format("reused" if reused == tasks == 1 else "all reused" if reused == tasks else f"{reused:,} reused")


def failure(step: str, event: Mapping[str, Any]) -> list[str]:
    """Return a result event that isn't `returned` as lines: what happened, with which arguments, and where."""
    lines = [f"{_address(step, event)}: {event['outcome'].replace('_', ' ')}: {_cause(event)}"]
    if "args" in event:
        lines.append(f"    called with {_call(event['args'], event['kwargs'])}")
    trace = event.get("exception.stacktrace", "").splitlines()
    # The traceback has no frames of the user's, only the message again.
    if trace and lines[0].endswith(shown(trace[0])):
        del trace[0]
    return lines + [f"    {shown(line)}" for line in _shortened(trace)]


def _address(step: str, event: Mapping[str, Any]) -> str:
    """Return the address of a call: `fetch`, `fetch@north` (a cell), `count[17] (north)` (a task and its key)."""
    if "cell" in event:
        return f"{step}@{shown(event['cell'])}"
    if event.get("event") == "worker.finalized":
        return f"{step}, the finalizer of worker {event['worker']}"
    return f"{step}[{event['task']}]{key_text(event)}" if "task" in event else step


def key_text(event: Mapping[str, Any]) -> str:
    """Return the key of a task to stand after its address, such as ` (north)`; empty if it has none."""
    return f" ({shown(str(event['key']))})" if "key" in event else ""


def _cause(event: Mapping[str, Any]) -> str:
    if "exception.type" in event:
        message = event["exception.message"].splitlines()
        what = f"the {event['what']} can't be pickled: " if "what" in event else ""
        return shown(f"{what}{event['exception.type']}: {message[0] if message else ''}").removesuffix(": ")
    return shown(event["reason"])


def _call(args: Any, kwargs: Any) -> str:
    if not isinstance(args, list) or not isinstance(kwargs, dict) or "$repr" in kwargs:
        return f"{value(args)} {value(kwargs)}"
    return f"({', '.join([*map(value, args), *(f'{name}={value(item)}' for name, item in kwargs.items())])})"


def _shortened(lines: list[str], most: int = 16) -> list[str]:
    return lines if len(lines) <= most else [*lines[:2], "…", *lines[-(most - 3) :]]
