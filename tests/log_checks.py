"""What is true of every log, whatever the run: each line has its form, and nothing is missing."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from mprun.log.schema.events import event_schema
from mprun.log.verifying import complete as records
from mprun.log.words import LOG_FORMAT

Event = dict[str, Any]


def check_log(path: Path) -> list[Event]:
    """The events of the whole, finished log at `path`; fails where a line has a wrong form or something is missing.

    Its seals are checked and left out.
    """
    return check_lines(path.read_bytes())


def check_lines(data: bytes) -> list[Event]:
    """As `check_log`, of the log's bytes."""
    assert data.endswith(b"\n")
    lines = data.splitlines(keepends=True)
    assert max(map(len, lines)) <= 64 * 1024
    assert all(line.startswith(b'{"seq":%d,"ts":"' % seq) for seq, line in enumerate(lines))  # text can be searched
    events = [json.loads(line) for line in lines]
    for event in events:
        check_form(event)
    check_sealed(data, events)
    check_complete(data)
    check_saved(events)
    return without_seals(events)


def check_sealed(data: bytes, events: list[Event]) -> None:
    """Fails where the seals of the log `data` don't cover all of it, each the bytes up to its own line."""
    lines = data.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    start, first, previous = 0, 0, None
    for number, event in enumerate(events):
        if event["event"] != "log.sealed":
            continue
        covered = data[start : starts[number]]
        assert (event["start"], event["bytes"], event["lines"]) == (start, len(covered), number - first)
        assert event["sha256"] == hashlib.sha256(covered).hexdigest()
        assert event.get("previous") == previous
        previous = hashlib.sha256(lines[number].rpartition(b',"seal":')[0]).hexdigest()
        assert event["seal"] == previous
        assert event["lines"] <= 1000
        start, first = starts[number], number
    assert events[-1]["event"] == "log.sealed"


def without_seals(events: Iterable[Event]) -> list[Event]:
    """What happened in the run itself."""
    return [event for event in events if event["event"] != "log.sealed"]


def check_form(event: Event) -> None:
    """Fails where `event` isn't as schemas/event.schema.json has it.

    Which keys go together is the same for all events of one kind, outcome and set of keys: it is asked once, and then
    each value by itself, as the schema of a whole event takes a millisecond.
    """
    form = (event["event"], event.get("outcome"), *event)
    validator, values = _validator(event["event"])
    if form not in _KNOWN_FORMS:
        problems = [problem.message for problem in validator.iter_errors(event)]
        assert not problems, f"{problems} in {event}"
        _KNOWN_FORMS.add(form)
    for key, value in event.items():
        assert values[key](value), f"`{key}` in {event}"


def check_old_form(event: Event, log_format: str) -> None:
    """As `check_form`, for an event of that version of the format: an older one may lack the keys that came later."""
    if log_format == LOG_FORMAT:
        check_form(event)
    problems = _validator(event["event"])[0].iter_errors(event)
    wrong = [problem.message for problem in problems if problem.validator != "required"]
    assert not wrong, f"{wrong} in {event}"


def check_complete(data: bytes) -> None:
    """Fails where the finished log `data` can't be whole: a gap, a child without its join, a task without result, …"""
    complete = records.check_complete(BytesIO(data))
    assert complete.findings == (), complete.findings
    assert complete.finish


def check_saved(events: list[Event]) -> None:
    """Fails unless a step whose results were to be saved says so, once, or says at its end that they are not."""
    saved = Counter(event["step"] for event in _named(events, "results.saved"))
    for step in {event["step"] for event in _named(events, "save.started")}:
        (finished,) = (event for event in _named(events, "step.finished") if event["step"] == step)
        assert saved.pop(step, 0) == ("not_saved" not in finished), step
        assert "not_saved" not in finished or finished["outcome"] == "failed", step
    assert not saved


def results(events: Iterable[Event], step: str) -> list[Event]:
    """The results of `step`, in the order written."""
    return [e for e in events if e["event"] in ("process.result", "task.result") and e["step"] == step]


def counted(events: Iterable[Event], step: str) -> list[int]:
    """The indexes of the tasks of `step` that returned and have no event of their own."""
    ranges = [event for event in _named(events, "tasks.counted") if event["step"] == step]
    return [task for event in ranges for task in range(event["first"], event["last"] + 1)]


def outcomes(events: Iterable[Event], step: str) -> list[str]:
    """The outcome of each task of `step`, by index."""
    return [event["outcome"] for event in sorted(results(events, step), key=lambda event: event.get("task", 0))]


def _named(events: Iterable[Event], name: str) -> list[Event]:
    return [event for event in events if event["event"] == name]


_KNOWN_FORMS: set[tuple[str, ...]] = set()


@functools.cache
def _validator(name: str) -> tuple[Draft7Validator, dict[str, Callable[[Any], bool]]]:
    """A validator of this one kind of event: quicker than the whole schema, and its complaints can be read.

    And what each of its values must be.
    """
    schema = event_schema()
    forms = [f for f in schema["definitions"].values() if f["properties"].get("event", {}).get("const") == name]
    assert len(forms) == 1, f"{name} is in no schema"
    values = {key: _value_check(form, schema["definitions"]) for key, form in forms[0]["properties"].items()}
    return Draft7Validator({**forms[0], "definitions": schema["definitions"]}), values


def _value_check(form: dict[str, Any], definitions: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether a value is of `form`: by hand for the forms of nearly all values."""
    match {key: value for key, value in form.items() if key not in ("description", "title", "default")}:
        case {"type": "integer", "minimum": least, **rest} if not rest:
            return lambda value: type(value) is int and value >= least
        case {"type": "number", "minimum": least, **rest} if not rest:
            return lambda value: type(value) in (int, float) and value >= least
        case {"type": "string", "pattern": pattern, **rest} if not rest:
            matches = re.compile(pattern).search
            return lambda value: type(value) is str and bool(matches(value))
        case {"type": "string", **rest} if not rest:
            return lambda value: type(value) is str
        case {"const": only, **rest} if not rest or rest == {"type": "string"}:
            return lambda value: value == only
        case {"enum": some, "type": "string", **rest} if not rest:
            return lambda value: value in some
        case nothing if not nothing:
            return lambda value: True
        case other:
            return Draft7Validator({**other, "definitions": definitions}).is_valid
