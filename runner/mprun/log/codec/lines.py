"""A line of the log: one JSON object without spaces, its `seq` first, ended by a newline.

Who makes a line leaves out its beginning, `{"seq":N,`: only the parent, which writes the log, numbers lines. Such an
open line is what children send. This module is imported by children, and imports next to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_COMPACT = b'{"seq":0,"ts":"'  # how a log begins whose JSON has no spaces: its text can be searched
_SPACED = b'"event": '  # in a line that has spaces all the same, as `cancelled` tasks of `stdlib` once had


def whole_line(fields: Mapping[str, Any]) -> bytes:
    """The line of an event with `fields`, which begin with `seq`."""
    return b"{" + open_line(fields)


def open_line(fields: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> bytes:
    """The open line of an event with `fields`, and behind them those of `texts`, whose values are JSON already."""
    text = inner_text(fields)
    if texts:
        text += "".join(f',"{key}":{value}' for key, value in texts.items())
    return f"{text}}}\n".encode("utf-8", "backslashreplace")


def inner_text(fields: Mapping[str, Any]) -> str:
    """`fields` as they stand inside a line: for those that many lines share."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:-1]


def fields_of(line: bytes) -> dict[str, Any]:
    """The fields of an open line, with or without its newline."""
    return json.loads(b"{" + line)  # type: ignore[no-any-return]


def closed(line: bytes, seq: int) -> bytes:
    """The open `line` as it stands in the log. (`numbering.numbered` is for many of them.)"""
    return b'{"seq":%d,%b' % (seq, line)


class TextSearch:
    """Decides by text, without parsing, whether bytes of a log may hold a wanted event.

    `wanted` maps keys to the values that each may have; a key without values is ignored. Pass the log's beginning
    first: in a log that another program wrote, with spaces, everything may be wanted.
    """

    def __init__(self, wanted: Mapping[str, Sequence[str]]) -> None:
        self._wanted = wanted
        self._needles: list[list[bytes]] | None = None

    def may_hold(self, data: bytes) -> bool:
        """Whether lines of `data` may be wanted."""
        if self._needles is None:
            self._needles = self._make_needles() if data.startswith(_COMPACT) else []
        return all(any(needle in data for needle in needles) for needles in self._needles) or _SPACED in data

    def _make_needles(self) -> list[list[bytes]]:
        return [[f'"{key}":"{value}"'.encode() for value in values] for key, values in self._wanted.items() if values]
