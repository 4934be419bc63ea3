"""Rules about a `command`: it has its arguments in itself, and no second key says what to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mprun.errors.places import Path
from mprun.language.references import Reference, Template
from mprun.loading.mistakes import Mistake, found
from mprun.loading.rules.common import Data, StepData, steps


def idle_arguments(data: Data) -> Iterator[Mistake]:
    """Arguments of a function have no meaning beside a program."""
    for step in steps(data):
        for path in _arguments(step) if "command" in step.entry and "target" not in step.entry else ():
            message = f"a `command` is not given `{path[-1]}`: its arguments stand in its own list"
            yield Mistake("no-effect", message, path, "key", "write them behind the program's name")


def parts(data: Data) -> Iterator[Mistake]:
    """A program and each of its arguments is a text or a number, or a value that only the run knows."""
    for step in steps(data):
        command = step.entry.get("command")
        for index, part in enumerate(command) if isinstance(command, list) else ():
            path = (*step.path, "command", index)
            if isinstance(part, bool) or not isinstance(part, str | int | float | Reference | Template):
                advice = f'write "{str(part).lower()}"' if isinstance(part, bool) else ""
                message = f"a part of a `command` is text or a number, not {found(part)}"
                yield Mistake("wrong-type", message, path, advice=advice)
            elif isinstance(part, str) and "\0" in part:
                yield Mistake("bad-value", "an argument can't hold the character U+0000", path)
            elif part == "" and index == 0:
                yield Mistake("bad-value", "a `command` begins with a program", path)


def _arguments(step: StepData) -> Iterator[Path]:
    yield from ((*step.path, key) for key in ("args", "kwargs") if key in step.entry)
    call = step.entry.get("apply")
    yield from ((*step.path, "apply", key) for key in ("args", "kwargs") if isinstance(call, dict) and key in call)


def idle_streams(data: Data) -> Iterator[Mistake]:
    """Files for the streams of a program need a program."""
    for step in steps(data):
        for key in ("stdout", "stderr") if "target" in step.entry and "command" not in step.entry else ():
            if key in step.entry:
                message = f"`{key}` is for a `command`: what a function prints goes to the log"
                yield Mistake("no-effect", message, (*step.path, key), "key", "`save` writes what it returns")


COMMAND_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (parts, idle_arguments, idle_streams)
