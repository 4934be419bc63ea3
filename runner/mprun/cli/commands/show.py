"""`mprun show`: the story of a run, of one of its tasks, or of a shared thing, for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, BinaryIO

import typer

from mprun.cli.open_log import open_log
from mprun.cli.options import RunReference, RunsDir
from mprun.cli.output import show
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.reading.lines import blocks
from mprun.log.reading.lock import is_locked
from mprun.log.reading.select import Selection
from mprun.log.reading.sharing_story import ABOUT_SHARING
from mprun.log.reading.story import Story
from mprun.runs.find import RunFiles, find_run
from mprun.sinks.sharing_text import thing_text
from mprun.sinks.story_text import story_text
from mprun.sinks.task_text import task_text

_TASK = re.compile(r"([A-Za-z_][\w-]*|)(?:\[(\d+)\])?", re.ASCII)


def command(
    run: RunReference,
    task: Annotated[
        str,
        typer.Argument(
            metavar="[TASK]",
            help="One task of it: `step[4]`, or the name of a process; or what children share: `shared.rows`.",
            show_default=False,
        ),
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
) -> ExitCode:
    """Show the story of a run, of one task, or of one thing that children share."""
    found = find_run(run, runs_dir)
    if task.startswith("shared."):
        _show_thing(found, task.removeprefix("shared."))
    elif task:
        _show_task(found, task)
    else:
        _show_run(found)
    return ExitCode.SUCCEEDED


def _show_run(run: RunFiles) -> None:
    story = Story()
    with open_log(run.log) as file:
        at_work = is_locked(file.fileno())
        for event in _events(file):
            story.take(event)
        show(story_text(story, at_work=at_work))


def _show_task(run: RunFiles, task: str) -> None:
    """Show one task: `squares[4]`, `4` if there is only one pool, or the name of a process."""
    with open_log(run.log) as file:
        head = next(_events(file), {})
        step, index = _find_task(task, head)
        file.seek(0)
        about = list(_about(file, step, index))
        if not about:
            raise UsageError(f"the log says nothing about `{task}`")
        show(task_text(step, index, about))


def _show_thing(run: RunFiles, name: str) -> None:
    """Show a thing that children share."""
    with open_log(run.log) as file:
        about = [event for event in _events(file) if event["event"] in ABOUT_SHARING and _concerns(event, name)]
    if not about:
        raise UsageError(f"the log says nothing about `shared.{name}`")
    show(thing_text(name, about))


def _concerns(event: Event, name: str) -> bool:
    """Return whether an event about shared things is about `name`."""
    names = [event.get("name"), *event.get("names", ()), *(each["waits_for"] for each in event.get("waiting", ()))]
    return name in names


def _events(file: BinaryIO) -> Iterator[Event]:
    for block in blocks(file):
        for line in block.split(b"\n"):
            try:
                event = event_of(line)
            except LineError:  # `mprun verify` reports it
                continue
            yield event


def _find_task(task: str, head: Event) -> tuple[str, int | None]:
    """Return the step and the index that `task` means; None as index for a process."""
    kinds = {step["step"]: step["kind"] for step in head.get("steps", [])}
    pools = [step for step, kind in kinds.items() if kind == "pool"]
    found = _TASK.fullmatch(f"[{task}]" if task.isdecimal() else task)
    step = (found[1] if found else "") or (pools[0] if len(pools) == 1 else "")
    if found is None or step not in kinds:
        raise UsageError(f"there is no task `{task}`: the steps are {', '.join(kinds)}; a task of a pool is `step[0]`")
    index = int(found[2]) if found[2] else None
    if index is None and kinds[step] == "pool":
        raise UsageError(f"`{step}` is a pool: which of its tasks, such as `{step}[0]`?")
    return step, index


def _about(file: BinaryIO, step: str, index: int | None) -> Iterator[Event]:
    selection = Selection(steps=[step])
    for block in blocks(file):
        for _, event in selection.lines(block):
            if _is_about(event, index):
                yield event


def _is_about(event: Event, index: int | None) -> bool:
    if event["event"] == "tasks.counted":
        return index is not None and event["first"] <= index <= event["last"]
    if index is None or "task" not in event:
        return index is None and not event["event"].startswith("step.")
    return bool(event["task"] == index)
