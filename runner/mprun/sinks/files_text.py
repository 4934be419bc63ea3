"""The files that steps save their results in, as text for people: what they lack, and which were not written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mprun.sinks.text import plural, ranges, shown

Event = Mapping[str, Any]

_LACKS = {"csv": "has no rows for", "pickle": "has None for"}  # by format; the others have null


def file_lines(name: str, saved: Event, finished: Event) -> list[str]:
    """Return the lines about the file of step `name`; empty if it has all results, or if there is no file to write."""
    lines = [f"{name}: {shown(saved['path'])} {lack}"] if (lack := _lack(saved)) else []
    return [*lines, *unsaved_lines(name, finished)]


def unsaved_lines(name: str, event: Event) -> list[str]:
    """Return the line about a file of step `name` that was not written; empty if it was."""
    return [f"{name}: {unsaved}"] if (unsaved := _unsaved(event)) else []


def trial_lines(head: Event) -> list[str]:
    """Return the line that says where the files of a trial are; empty for a full run."""
    return [f"trial: its files are in {shown(head['trial'])}; the real ones are as before"] if "trial" in head else []


def saved_parts(saved: Event, finished: Event) -> list[str]:
    """Return the same as parts of a line about the step."""
    parts = [f"saved in {shown(saved['path'])}"] if saved else []
    return [part for part in (*parts, _lack(saved).replace("has", "which has", 1), _unsaved(finished)) if part]


def _lack(saved: Event) -> str:
    """Return text such as `has null for 3 failed tasks: 0, 4-5`; empty if nothing is missing."""
    count, failed = saved.get("failed_count"), saved.get("failed", [])
    if not count:
        return ""
    more = f", … {count - len(failed):,} more" if count > len(failed) else ""
    lacks = _LACKS.get(saved["format"], "has null for")
    return f"{lacks} {plural(count, 'failed task')}: {ranges(failed)}{more}"


def _unsaved(event: Event) -> str:
    """Return that the file was not written, and what lies in its place; empty if it was."""
    if "not_saved" not in event:
        return ""
    old = event.get("old_file")
    lies = f"; the file there is of an earlier run (last changed {old[:19]}Z)" if old else ""
    return f"{shown(event['not_saved'])} was not written{lies}"
