"""Which steps' results are written to the file of their `save`, and what is said of a file that is not. Decisions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mprun.log.words import timestamp
from mprun.plan.plan import Step

MOST_LISTED = 1000  # failed tasks that one event lists: a line of the log is bounded


def is_saved(step: Step, outcomes: Mapping[str, int], error: str, *, whole: bool) -> bool:
    """Whether the results of `step`, which has ended, are written to its file.

    Not where its list isn't whole, as tasks were cancelled or the step has an `error` of its own (unless the list is
    `whole` all the same); and not where it failed, unless it has `continue_on_error`: then the file has what there is.
    """
    if not step.save or outcomes.get("cancelled") or (error and not whole):
        return False
    failed = error or any(count for outcome, count in outcomes.items() if outcome != "returned")
    return step.limits.continue_on_error or not failed


def failed_fields(failed: list[int]) -> dict[str, Any]:
    """The fields of `results.saved` about tasks that have no value in the file; none where all have one."""
    return {"failed": failed[:MOST_LISTED], "failed_count": len(failed)} if failed else {}


def unsaved_fields(step: Step, began: float) -> dict[str, Any]:
    """The event fields of a step whose file the run, which began at `began` (seconds since the epoch), has not written.

    They say whether a file from before the run lies there.
    """
    if not step.save:
        return {}
    path = str(step.save)
    changed = _changed(path)
    old = {"old_file": timestamp(changed)} if changed is not None and changed < began else {}
    return {"not_saved": path, **old}


def _changed(path: str) -> float | None:
    """When the file was last changed; None where there is none."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None
