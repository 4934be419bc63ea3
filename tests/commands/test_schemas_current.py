"""The committed schemas are what `mprun schema` prints, and describe every key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import CommandLine
from jsonschema import Draft7Validator

from mprun.log.schema.events import event_schema
from mprun.log.schema.reference import event_reference

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("name", ["workflow", "event"])
def test_the_committed_schema_is_current(name: str, mprun: CommandLine) -> None:
    committed = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == mprun("schema", name).stdout, f"mprun schema {name} > schemas/{name}.schema.json"
    Draft7Validator.check_schema(json.loads(committed))


def test_the_page_of_events_is_current(mprun: CommandLine) -> None:
    committed = (SCHEMAS.parent / "docs/events.md").read_text(encoding="utf-8")
    assert committed == mprun("schema", "event", "--markdown").stdout, "mprun schema event --markdown > docs/events.md"
    for form in event_schema()["definitions"].values():
        if "event" in form["properties"]:
            assert f"## `{form['properties']['event']['const']}`\n" in committed


def test_the_page_of_keys_is_current(mprun: CommandLine) -> None:
    committed = (SCHEMAS.parent / "docs/keys.md").read_text(encoding="utf-8")
    assert committed == mprun("schema", "workflow", "--markdown").stdout, (
        "mprun schema workflow --markdown > docs/keys.md"
    )


def test_the_page_says_what_each_outcome_has() -> None:
    tables = re.findall(r"^\| outcome \| has \|\n(?:\|.*\n)+", event_reference(), re.MULTILINE)
    assert tables
    for table in tables:
        assert "| `lost` | `reason` |\n| `timed_out` | `reason` |\n| `cancelled` | `cancelled_by` |\n" in table
        assert re.search(r"^\| `unpicklable` \|.* `what` \|$", table, re.MULTILINE)


def test_each_key_of_each_event_has_a_description() -> None:
    for name, form in event_schema()["definitions"].items():
        undescribed = [key for key, value in form["properties"].items() if not value.get("description")]
        assert undescribed == [], name
        assert form["additionalProperties"] is False, name


SOME = {"seq": 3, "ts": "2026-01-31T09:30:00.000000Z"}
SIGNAL = {**SOME, "event": "signal.received", "signal": "SIGINT"}
RETURNED = {
    **SOME,
    "event": "task.result",
    "step": "s",
    "worker": 1,
    "task": 0,
    "attempt": 1,
    "outcome": "returned",
    "result": [1, None],
    "waited": 0,
    "duration": 0.5,
}
NO_EVENTS = {
    "an unknown event": {**SIGNAL, "event": "signal.sent"},
    "a key too many": {**SIGNAL, "step": "s"},
    "a key too few": {**SOME, "event": "signal.received"},
    "a negative number of the line": {**SIGNAL, "seq": -1},
    "a time without microseconds": {**SIGNAL, "ts": "2026-01-31T09:30:00Z"},
    "a time that is not UTC": {**SIGNAL, "ts": "2026-01-31T09:30:00.000000+01:00"},
    "an unknown outcome": {**RETURNED, "outcome": "vanished"},
    "null for what is left out": {**RETURNED, "pid": None},
    "a result that raised": {**RETURNED, "outcome": "raised"},
    "attempt 0": {**RETURNED, "attempt": 0},
}


def test_the_schema_takes_what_is_an_event() -> None:
    for event in (SIGNAL, RETURNED, {**RETURNED, "result": {"$float": "nan"}}):
        Draft7Validator(event_schema()).validate(event)


@pytest.mark.parametrize("what", NO_EVENTS)
def test_the_schema_refuses_what_is_no_event(what: str) -> None:
    assert not Draft7Validator(event_schema()).is_valid(NO_EVENTS[what])
