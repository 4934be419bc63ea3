"""Diagnostics as text for people: the message, the place, the line with a caret, and what to do next. No colour."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from mprun.errors.exceptions import Diagnostic, Place

MAX_SHOWN = 100
_MAX_COLUMNS = 100


def render_all(diagnostics: Sequence[Diagnostic]) -> str:
    """Return all diagnostics, separated by blank lines, and a last line with their number. Ends with a newline."""
    blocks = [render(diagnostic) for diagnostic in diagnostics[:MAX_SHOWN]]
    hidden = len(diagnostics) - len(blocks)
    if hidden:
        blocks.append(f"… and {hidden:,} more, which are not shown")
    return "\n\n".join([*blocks, _summary(diagnostics)]) + "\n"


def render(diagnostic: Diagnostic) -> str:
    """Return one diagnostic as lines of text, without a newline at the end."""
    head = f"error[{diagnostic.code}]: {printable(diagnostic.message)}"
    if diagnostic.place is None:
        return "\n".join([head, *_without_place(diagnostic)])
    return "\n".join([head, *_excerpt(diagnostic, diagnostic.place)])


def printable(text: str) -> str:
    """Return `text` with escapes for all characters that would move a terminal's cursor or can't be encoded."""
    return "".join(_shown(character) for character in text)


def _summary(diagnostics: Sequence[Diagnostic]) -> str:
    count = "1 mistake" if len(diagnostics) == 1 else f"{len(diagnostics):,} mistakes"
    files = sorted({d.place.file if d.place else d.source for d in diagnostics} - {""})
    where = f" in {printable(files[0])}" if len(files) == 1 else ""
    return f"{count}{where}: nothing was started"


def _without_place(diagnostic: Diagnostic) -> list[str]:
    source = [f"  --> {printable(diagnostic.source)}"] if diagnostic.source else []
    further = [diagnostic.advice, *diagnostic.notes] if diagnostic.advice else diagnostic.notes
    return [*source, *(f"   = {printable(note)}" for note in further)]


def _excerpt(diagnostic: Diagnostic, place: Place) -> list[str]:
    number = str(place.line)
    gutter = " " * len(number)
    line, before, carets = _marked(place)
    mark = f"{' ' * before}{'^' * carets} {printable(diagnostic.advice)}".rstrip()
    lines = [f"{gutter}--> {printable(str(place))}", f"{gutter} |", f"{number} | {line}".rstrip(), f"{gutter} | {mark}"]
    if diagnostic.notes:
        lines += [f"{gutter} |", *(f"{gutter} = {printable(note)}" for note in diagnostic.notes)]
    return lines


def _marked(place: Place) -> tuple[str, int, int]:
    """Return the line as shown, the columns before the caret, and the number of carets.

    A long line is cut around the caret.
    """
    cells = [_shown(character) for character in place.text]
    start = min(place.column - 1, len(cells))
    stop = min(start + place.length, len(cells))
    first, last = 0, len(cells)
    if sum(map(_width, cells)) > _MAX_COLUMNS:
        first = max(0, start - _MAX_COLUMNS // 3)
        last = min(len(cells), first + _MAX_COLUMNS)
        stop = min(stop, last)
    head = ["…"] if first else []
    tail = ["…"] if last < len(cells) else []
    before = sum(map(_width, [*head, *cells[first:start]]))
    return "".join([*head, *cells[first:last], *tail]), before, max(1, sum(map(_width, cells[start:stop])))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _width(cell: str) -> int:
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.combining(cell):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
