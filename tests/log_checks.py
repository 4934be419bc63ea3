"""What is true of every log, whatever the run: each line has its form, and nothing is missing."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from mprun.log.schema.events import event_schema
from mprun.log.verifying import complete as records

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
    """Fails where `event` isn't as schemas/event.schema.json has it."""
    problems = [problem.message for problem in _validator(event["event"]).iter_errors(event)]
    assert not problems, f"{problems} in {event}"


def check_complete(data: bytes) -> None:
    """Fails where the finished log `data` can't be whole: a gap, a child without its join, a task without result, …"""
    complete = records.check_complete(BytesIO(data))
    assert complete.findings == (), complete.findings
    assert complete.finish


def check_saved(events: list[Event]) -> None:
    """Fails unless a step whose results were to be saved has succeeded if, and only if, they were, and were so once."""
    saved = Counter(event["step"] for event in _named(events, "results.saved"))
    for step in {event["step"] for event in _named(events, "save.started")}:
        (finished,) = (event for event in _named(events, "step.finished") if event["step"] == step)
        assert saved.pop(step, 0) == (finished["outcome"] == "succeeded"), step
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


@functools.cache
def _validator(name: str) -> Draft7Validator:
    """A validator of this one kind of event: quicker than the whole schema, and its complaints can be read."""
    schema = event_schema()
    forms = [f for f in schema["definitions"].values() if f["properties"].get("event", {}).get("const") == name]
    assert len(forms) == 1, f"{name} is in no schema"
    return Draft7Validator({**forms[0], "definitions": schema["definitions"]})
