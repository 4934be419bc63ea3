"""`mprun logs`: the events of a run, those that are wanted, as lines for people or as they stand in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mprun.cli.open_log import open_log
from mprun.cli.output import say, show
from mprun.errors.exceptions import ExitCode
from mprun.log.reading.follow import follow, has_ended_early
from mprun.log.reading.lines import blocks
from mprun.log.reading.select import Selection
from mprun.runs.find import find_run
from mprun.sinks.event_text import event_line


def show_logs(reference: str, *, runs_dir: str, selection: Selection, following: bool, as_json: bool) -> ExitCode:
    """Print the wanted events of a run; with `following`, until it ends. Raises UsageError."""
    run = find_run(reference, runs_dir)
    with open_log(run.log) as file:
        _print(follow(file) if following else blocks(file), selection, _json if as_json else _text(selection))
        if following and has_ended_early(file):
            say("the run was ended before it could finish its log\n")
    for name in selection.unknown_names():
        near = "".join(f"; did you mean `{key}`?" for key in selection.near(name))
        say(f"note: none of these events has a key `{name}`{near or '; a text stands in quotes'}\n")
    return ExitCode.SUCCEEDED


def _print(source: Iterable[bytes], selection: Selection, text: Callable[[bytes, Selection], str]) -> None:
    for block in source:
        show(text(block, selection))


def _json(block: bytes, selection: Selection) -> str:
    if selection.is_all:
        return block.decode(errors="backslashreplace")
    return "".join(line.decode(errors="backslashreplace") for line, _ in selection.lines(block))


def _text(selection: Selection) -> Callable[[bytes, Selection], str]:
    """Seals say nothing to a person who hasn't asked for them."""
    seals_too = any("seal" in name for name in selection.events)

    def text(block: bytes, selection: Selection) -> str:
        wanted = (event for _, event in selection.lines(block) if seals_too or event["event"] != "log.sealed")
        return "".join(f"{event_line(event)}\n" for event in wanted)

    return text
