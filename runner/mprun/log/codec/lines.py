"""A line of the log: one JSON object without spaces, with `seq` first and a newline at its end.

A child leaves out the beginning, `{"seq":N,`, because only the parent, which writes the log, can number lines. Such an
open line is what children send. Children import this module, so it imports next to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_COMPACT = b'{"seq":0,"ts":"'  # how a log begins whose JSON has no spaces: a text search finds its keys
_SPACED = b'"event": '  # in a line with spaces in such a log; `cancelled` tasks of `stdlib` once had them


def whole_line(fields: Mapping[str, Any]) -> bytes:
    """Return the line of an event with `fields`, which begin with `seq`."""
    return b"{" + open_line(fields)


def open_line(fields: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> bytes:
    """Return the open line of an event: `fields`, then `texts`, whose values are JSON already."""
    text = inner_text(fields)
    if texts:
        text += "".join(f',"{key}":{value}' for key, value in texts.items())
    return f"{text}}}\n".encode("utf-8", "backslashreplace")


def inner_text(fields: Mapping[str, Any]) -> str:
    """Return `fields` as they stand inside a line. A caller stores the text that many lines share."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:-1]


def fields_of(line: bytes) -> dict[str, Any]:
    """Return the fields of an open line, with or without its newline."""
    return json.loads(b"{" + line)  # type: ignore[no-any-return]


def closed(line: bytes, seq: int) -> bytes:
    """Return the open `line` as it stands in the log. For many lines, see `numbering.numbered`."""
    return b'{"seq":%d,%b' % (seq, line)


class TextSearch:
    """Decides by text search, without parsing, whether bytes of a log may hold a wanted event.

    `wanted` maps keys to the values that each may have; a key without values is ignored. Pass the beginning of the log
    first: if another program wrote the log, with spaces, any block may hold a wanted event.
    """

    def __init__(self, wanted: Mapping[str, Sequence[str]]) -> None:
        self._wanted = wanted
        self._needles: list[list[bytes]] | None = None

    def may_hold(self, data: bytes) -> bool:
        """Return whether lines of `data` may be wanted. A wrong True costs time, a wrong False would lose an event."""
        if self._needles is None:
            self._needles = self._make_needles() if data.startswith(_COMPACT) else []
        return all(any(needle in data for needle in needles) for needles in self._needles) or _SPACED in data

    def _make_needles(self) -> list[list[bytes]]:
        return [[f'"{key}":"{value}"'.encode() for value in values] for key, values in self._wanted.items() if values]
