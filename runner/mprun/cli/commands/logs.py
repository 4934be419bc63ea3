"""`mprun logs`: selected events of a run, as lines for people or as they stand in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from mprun.cli.open_log import open_log
from mprun.cli.options import RunReference, RunsDir
from mprun.cli.output import say, show
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode
from mprun.log.reading.follow import follow, has_ended_early
from mprun.log.reading.lines import blocks
from mprun.log.reading.select import Selection, read_condition
from mprun.runs.find import find_run
from mprun.sinks.event_text import event_line


def command(
    run: RunReference,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", "-e", metavar="NAME", help="Only these events: `task.result`, `worker.*`."),
    ] = None,
    step: Annotated[list[str] | None, typer.Option("--step", "-s", metavar="STEP", help="Only these steps.")] = None,
    outcome: Annotated[
        list[str] | None, typer.Option("--outcome", "-o", metavar="OUTCOME", help="Only these outcomes: `raised`.")
    ] = None,
    where: Annotated[
        str, typer.Option("--where", "-w", metavar="CONDITION", help="Only where this holds: `duration > 2s`.")
    ] = "",
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they stand in the log.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> ExitCode:
    """Show the events of a run."""
    selection = Selection(event or (), step or (), outcome or (), read_condition(where))
    with open_log(find_run(run, runs_dir).log) as file:
        _print(follow(file) if following else blocks(file), selection, _json if as_json else _text(selection))
        if following and has_ended_early(file):
            say("the run was ended before it could finish its log\n")
    _note_unknown_names(selection)
    return ExitCode.SUCCEEDED


def _note_unknown_names(selection: Selection) -> None:
    for name in selection.unknown_names():
        near = "".join(f"; did you mean `{key}`?" for key in selection.near(name))
        say(f"note: none of these events has a key `{name}`{near or '; a text stands in quotes'}\n")


def _print(source: Iterable[bytes], selection: Selection, text: Callable[[bytes, Selection], str]) -> None:
    for block in source:
        show(text(block, selection))


def _json(block: bytes, selection: Selection) -> str:
    if selection.is_all:
        return block.decode(errors="backslashreplace")
    return "".join(line.decode(errors="backslashreplace") for line, _ in selection.lines(block))


def _text(selection: Selection) -> Callable[[bytes, Selection], str]:
    """Return the function that makes the text of an event. Seals are hidden from a person who didn't select them."""
    seals_too = any("seal" in name for name in selection.events)

    def text(block: bytes, selection: Selection) -> str:
        selected = (event for _, event in selection.lines(block) if seals_too or event["event"] != "log.sealed")
        return "".join(f"{event_line(event)}\n" for event in selected)

    return text
