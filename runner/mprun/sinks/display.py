"""What a person sees during a run: the output of children as it comes, and the progress of each step."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from mprun.log.words import Outcome
from mprun.sinks.text import duration, plural, reused_text, shown
from mprun.system.writing import wait_for_room, write_all

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mprun.sinks.sink import Sink

REDRAW_INTERVAL = 0.1  # seconds


def choose_sinks(*, quiet: bool, log_on_stdout: bool, inline: bool = False) -> list[Sink]:
    """Return the sinks for this terminal: bars on a terminal, lines elsewhere, only children's output if `quiet`.

    With `inline`, lines on a terminal too, because the user's code writes to the terminal itself.
    """
    on_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if on_terminal and not (quiet or inline):
        return [live_display(sys.stderr, stdout_is_terminal=log_on_stdout or sys.stdout.isatty())]
    passthrough = Passthrough(stdout_fd=2 if log_on_stdout else 1)
    return [passthrough] if quiet else [passthrough, PlainDisplay(sys.stderr)]


class Passthrough:
    """Writes children's lines to mprun's own streams as bytes, until a stream is closed (`| head`)."""

    def __init__(self, stdout_fd: int = 1, stderr_fd: int = 2) -> None:
        self._fds: dict[str, int | None] = {"stdout": stdout_fd, "stderr": stderr_fd}

    def event(self, event: Mapping[str, Any]) -> None:
        """Ignored: only output is passed through."""

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """Ignored: only output is passed through."""

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Ignored: only output is passed through."""

    def count(self, step: str, tasks: int) -> None:
        """Ignored: only output is passed through."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        fd = self._fds[stream]
        if fd is None:
            return
        try:
            write_all(fd, line + b"\n")
        except OSError:
            self._fds[stream] = None

    def tick(self) -> None:
        """Ignored: there is no clock to draw."""


class PlainDisplay:
    """Progress as lines of text, for a stream that is not a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def event(self, event: Mapping[str, Any]) -> None:
        line = _line(event)
        if line:
            _print(self._stream, line)

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """Ignored: the end of the step is shown."""

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Ignored: the end of the step is shown."""

    def count(self, step: str, tasks: int) -> None:
        """Ignored: the end of the step is shown."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Ignored: another sink passes it through."""

    def tick(self) -> None:
        """Ignored: there is no clock to draw."""


def _line(event: Mapping[str, Any]) -> str:
    match event["event"]:
        case "step.started":
            return f"{event['step']}: started ({shown(event['target'])}{_tasks(event)})"
        case "step.finished":
            return (
                f"{event['step']}: {event['outcome']} after {duration(event['duration'])}{reused_text(event, ', {}')}"
            )
        case "step.skipped":
            return f"{event['step']}: skipped: {shown(event['reason'])}"
        case "worker.suspended" | "process.suspended" | "source.suspended" | "save.suspended":
            return f"{_who(event)} is suspended; `kill -CONT {event['pid']}` lets it go on"
        case "worker.continued" | "process.continued" | "source.continued" | "save.continued":
            return f"{_who(event)} goes on"
        case "stop.requested":
            return _STOPPING[event["phase"]].format(why=event["why"])
    return ""


def _tasks(event: Mapping[str, Any]) -> str:
    """Return how many calls a step will make, if the number is known and not obvious."""
    if not event["tasks"]:
        return ""
    if event["kind"] == "pool":
        return f", {plural(event['tasks'], 'task')}"
    return f", {plural(event['tasks'], 'cell')}" if event["tasks"] > 1 else ""


def _who(event: Mapping[str, Any]) -> str:
    who = f"worker {event['worker']}" if "worker" in event else _WHO[event["event"].partition(".")[0]]
    who = f"{who} for {shown(event['cell'])}" if "cell" in event else who
    return f"{event['step']}: {who} (pid {event['pid']})"


_WHO = {
    "process": "its process",
    "source": "the child that yields its items",
    "save": "the child that saves its results",
}

_STOPPING = {
    "draining": "stopping ({why}): waiting for what is at work; ask again to end it now",
    "terminating": "stopping ({why}): terminating",
    "killing": "stopping ({why}): killing",
}


def _print(stream: TextIO, line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more; the log has everything
        wait_for_room(stream.fileno())
        print(line, file=stream, flush=True)


class LiveDisplay:
    """Progress as bars at the bottom of a terminal, with the children's output above them."""

    def __init__(self, progress: Progress, stdout_is_terminal: bool) -> None:
        self._progress = progress
        self._stdout_is_terminal = stdout_is_terminal
        self._passthrough = Passthrough()
        self._bars: dict[str, TaskID] = {}
        self._done: Counter[str] = Counter()
        self._drawn = 0.0

    def event(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "run.started":
                self._progress.start()
            case "step.started":
                self._bars[event["step"]] = self._progress.add_task(event["step"], total=event["tasks"])
            case "step.finished":
                self._finish(event)
            case "run.finished":
                self._progress.stop()
            case _ if line := _line(event):
                self._above(line)
        self._redraw(force=event["event"].startswith("step."))

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        self._done[step] += 1
        self._redraw()

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        self._done[step] += len(lines)
        self._redraw()

    def count(self, step: str, tasks: int) -> None:
        self._done[step] += tasks
        self._redraw()

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        if stream == "stdout" and not self._stdout_is_terminal:
            self._passthrough.output(fields, stream, line)
        else:
            self._above(line.decode("utf-8", "backslashreplace"), ansi=True)

    def tick(self) -> None:
        self._redraw(force=True)

    def _above(self, text: str, *, ansi: bool = False) -> None:
        from rich.text import Text

        self._progress.console.print(Text.from_ansi(text) if ansi else Text(text), soft_wrap=True)

    def _finish(self, event: Mapping[str, Any]) -> None:
        bar = self._bars[event["step"]]
        name = f"{event['step']}{reused_text(event, ' ({})')}"
        self._progress.update(bar, completed=event["tasks"], total=max(event["tasks"], 1), description=name)
        self._progress.stop_task(bar)

    def _redraw(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._drawn < REDRAW_INTERVAL:
            return
        self._drawn = now
        for step, done in self._done.items():
            self._progress.update(self._bars[step], completed=done)
        self._progress.refresh()


def live_display(stream: TextIO, stdout_is_terminal: bool) -> LiveDisplay:
    """Return a `LiveDisplay` on the terminal `stream`. It draws only when an event comes, and needs no thread."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(file=stream, highlight=False, emoji=False, markup=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return LiveDisplay(Progress(*columns, console=console, auto_refresh=False), stdout_is_terminal)
