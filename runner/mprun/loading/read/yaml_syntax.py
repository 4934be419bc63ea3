"""Turns what the YAML parser reports about broken text into words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import yaml

from mprun.errors.exceptions import Diagnostic, Place

REFERENCE_ADVICE = 'quote it: "${…}", because `{` has a meaning of its own inside `[…]` and `{…}`'

MAX_DEPTH = 64
TOO_DEEP = f"lists and mappings can be nested {MAX_DEPTH} deep, not deeper"


class _Saying(NamedTuple):
    """mprun's words for one complaint of the parser. With `began`, the place is where the construct began."""

    complaint: str
    message: str
    advice: str = ""
    began: bool = False


_REPEATS = "outside quotes `*name` repeats what `&name` marks"
_BACKSLASH = "write `\\\\` for a backslash, or use single quotes"
_ADD_COLON = "write `key: value`, or `- value` in a list"

# libyaml and the pure Python parser word these differently. The first pattern that matches counts.
_SAYINGS = (
    _Saying("quoted.*(end of stream|document indicator)", "this quote is never closed", began=True),
    _Saying("unknown escape character", "this escape is unknown", _BACKSLASH),
    _Saying("scanning an alias", "text that starts with `*` needs quotes", _REPEATS, began=True),
    _Saying("scanning an anchor", "text that starts with `&` needs quotes", _REPEATS, began=True),
    _Saying("simple key", "this line has no `:` after its key", _ADD_COLON, began=True),
    _Saying("sequence entries are not", "a `-` is not expected here", "start the list on a line of its own"),
    _Saying("block (collection|sequence)", "this line does not continue the list above it", "check its indentation"),
    _Saying("block mapping", "this line does not fit the lines above it", "check its indentation and its `:`"),
    _Saying("block scalar", "a block of text is not begun like this", "write `|` or `>` alone, the text below it"),
    _Saying("document start|directive", "the file does not continue as YAML here", "check the indentation"),
)
_FLOW = re.compile("parsing a flow (sequence|mapping)")
_DEPTH = re.compile("nesting depth")
_CHARACTER = re.compile("cannot start any token|tab character")
_COLON = re.compile("mapping values are not allowed")


def syntax_diagnostic(error: Exception, file: str, lines: Sequence[str]) -> Diagnostic:
    """Return the diagnostic for what `yaml.parse` raised: a YAMLError, or a ValueError for an impossible escape."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    complaint = f"{getattr(error, 'context', None) or ''}: {problem}"
    here = _place(mark, file, lines)
    began = _place(getattr(error, "context_mark", None) or mark, file, lines)
    if _DEPTH.search(complaint):  # newer libyaml limits the depth too, before we see the events
        return Diagnostic("too-deep", TOO_DEEP, here)
    if _FLOW.search(complaint):
        return _flow_diagnostic(complaint, here, began, lines)
    if _CHARACTER.search(complaint):
        return _strange_character(here)
    if _COLON.search(complaint):
        return _strange_colon(here)
    for saying in _SAYINGS:
        if re.search(saying.complaint, complaint):
            return Diagnostic("yaml-syntax", saying.message, began if saying.began else here, saying.advice)
    return Diagnostic("yaml-syntax", f"this is not YAML: {problem}", here)


def _flow_diagnostic(complaint: str, here: Place, began: Place, lines: Sequence[str]) -> Diagnostic:
    before = here.text[: here.column - 1]
    if here.text[here.column - 1 :].startswith("{") and before.endswith("$"):
        return _unquoted_reference(here)
    opening, closing = ("[", "]") if "sequence" in complaint else ("{", "}")
    if here.line >= len(lines) or here.line > began.line:
        return Diagnostic("yaml-syntax", f"this `{opening}` is never closed", began, f"close it with `{closing}`")
    return Diagnostic("yaml-syntax", f"expected `,` or `{closing}` here", here, "quote text that holds `[]{},`")


def _unquoted_reference(brace: Place) -> Diagnostic:
    end = brace.text.find("}", brace.column)
    length = (end if end >= 0 else brace.column) - brace.column + 3
    place = Place(brace.file, brace.line, brace.column - 1, length, brace.text)
    return Diagnostic(
        "unquoted-reference", "`${…}` needs quotes inside a list or mapping in brackets", place, REFERENCE_ADVICE
    )


def _strange_character(place: Place) -> Diagnostic:
    character = place.text[place.column - 1 : place.column]
    if character == "\t":
        return Diagnostic("yaml-syntax", "a tab can't indent a line of YAML", place, "indent with spaces")
    return Diagnostic("yaml-syntax", f"text that starts with `{character}` needs quotes", place, "put it in quotes")


def _strange_colon(place: Place) -> Diagnostic:
    """Return the diagnostic for a `:` that the parser didn't expect.

    A second `:` in a line means that the text contains one. The first one means that the line above is not a key.
    """
    second = ": " in place.text[: place.column - 1]
    advice = "text that holds `: ` needs quotes" if second else "check the indentation, and the `:` of the line above"
    return Diagnostic("yaml-syntax", "a `:` is not expected here", place, advice)


def _place(mark: yaml.Mark | None, file: str, lines: Sequence[str]) -> Place:
    if mark is None:
        return Place(file, 1, 1, 1, lines[0])
    line = min(mark.line, len(lines) - 1)
    column = mark.column if mark.line == line else len(lines[line])
    return Place(file, line + 1, column + 1, 1, lines[line])
