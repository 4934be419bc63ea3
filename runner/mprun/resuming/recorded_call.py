"""Whether a call made now is the one that was recorded, and which run recorded it first."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mprun.errors.exceptions import UsageError
from mprun.plan.digests import SIZE, content_digest, content_digests, step_parts
from mprun.plan.plan import Plan, Step
from mprun.resuming.earlier import EarlierRun, EarlierStep, earlier_run

MOST_RUNS = 1000  # that one call is followed through


def changes_since(plan: Plan, step: Step, run: EarlierRun) -> list[str]:
    """What of `step` is no longer as it was in `run`: parts such as `args`. Its code may be: that is what repro is for.

    `plan` is the plan of now, without secrets.
    """
    note = run.noted(step.name)
    if note is None:
        return []
    unknown: list[str] = []

    def digest_of_results(name: str) -> str:
        digest = _digest_of_results(run, name)
        if not digest:
            unknown.append(name)
        return digest

    now = step_parts(plan, plan.step(step.name), digest_of_results)
    with_results = _MAY_REFER if unknown else ()
    return [
        part
        for part in {**note.parts, **now}
        if "module" not in part and part not in with_results and note.parts.get(part) != now.get(part)
    ]


_MAY_REFER = ("args", "kwargs", "initargs", "command", "results in items")


def facts_of(run: EarlierRun, step: str, index: int) -> dict[str, str]:
    """What `${run.…}` stood for when the call was made which `run` has of the task `index` of `step`: in another run,
    where it was reused."""
    made_by = [(run.run_id, run.files.folder), *_origins(run, step, index)][-1]
    return {"id": made_by[0], "dir": os.path.abspath(made_by[1])}


def _origins(run: EarlierRun, step: str, index: int) -> Iterator[tuple[str, str]]:
    """The id and the folder of each run that the call was reused from, as far back as there are any."""
    for _ in range(MOST_RUNS):
        found = _of_name(run, step)
        before = found.made_by(index) if found is not None and index >= 0 else run.run_id
        if found is None or before == run.run_id:
            return
        runs_dir = os.path.dirname(os.path.dirname(run.files.folder))
        yield before, os.path.join(runs_dir, "runs", before)
        digest = found.digests[index * SIZE : (index + 1) * SIZE]
        try:
            run = earlier_run(before, runs_dir)
        except UsageError:  # it was pruned
            return
        earlier = _of_name(run, step)
        index = earlier.position(digest) if earlier is not None else -1


def _of_name(run: EarlierRun, name: str) -> EarlierStep | None:
    return next((step for step in run.steps if step.name == name), None)


def _digest_of_results(run: EarlierRun, name: str) -> str:
    """As the run has noted it; empty where it has no longer what it takes."""
    step = _of_name(run, name)
    if step is None:
        return ""
    kept = step.kept()
    contents = (step.content(task) if task in kept else b"" for task in range(len(step.digests) // SIZE))
    try:
        return content_digest(content_digests(contents)).hex()
    except (OSError, KeyError):
        return ""
