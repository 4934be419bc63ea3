"""The text of the line of a task that returned, as a regular expression that takes only what parsing would say, too.

It takes a line with the keys in the order of `KEYS`, once each. Keys that it doesn't know may stand behind the key of
the task, and at the end, with simple values. All other lines are left to be parsed: the expression is for speed alone.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

_INT = rb"(?:0|[1-9]\d{0,17}+)"
_NUMBER = rb"-?+" + _INT + rb"(?:\.\d++)?+(?:[eE][-+]?+\d++)?+"
_UTF8 = (  # of more than one byte
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_TEXT = rb'"(?:[ !#-\[\]-\x7f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|' + _UTF8 + rb')*+"'
_SCALAR = rb"(?:" + _NUMBER + rb"|true|false|null|" + _TEXT + rb")"
_ARRAY = rb"\[(?:" + _SCALAR + rb"(?:," + _SCALAR + rb")*+)?+\]"
_MEMBER = _TEXT + rb":" + _SCALAR
_OBJECT = rb"\{(?:" + _MEMBER + rb"(?:," + _MEMBER + rb")*+)?+\}"
_VALUE = rb"(?:" + _SCALAR + rb"|" + _ARRAY + rb"|" + _OBJECT + rb")"
_NAME = rb'"[A-Za-z_][\w-]*+"'


class _Key(NamedTuple):
    name: str
    value: bytes
    may_lack: bool = False


# In the order in which lines have them: those of workers all but `key` and `reused`, those of reused calls neither
# `worker` nor `waited`.
_KEYS = (
    _Key("seq", _INT),
    _Key("ts", rb'"[\dT:.Z-]{27}"'),
    _Key("event", rb'"task\.result"'),
    _Key("step", _NAME),
    _Key("worker", _INT, may_lack=True),
    _Key("task", _INT),
    _Key("key", _TEXT, may_lack=True),
    _Key("attempt", _INT),
    _Key("outcome", rb'"returned"'),
    _Key("result", _VALUE),
    _Key("duration", _NUMBER),
    _Key("waited", _NUMBER, may_lack=True),
    _Key("reused", _TEXT, may_lack=True),
)
KEYS = tuple(key.name for key in _KEYS)

_KNOWN = "|".join(KEYS).encode()
_OTHERS = rb'(?:,"(?!(?:' + _KNOWN + rb')")[A-Za-z_][\w.]*+":' + _SCALAR + rb")*+"


@functools.cache
def many(columns: tuple[str, ...]) -> re.Pattern[bytes]:
    """For `findall` over whole lines: a group for each of `columns`, and one for all of a line that isn't taken.

    One of the columns is `step`, which is never empty. Compiling it takes as long as parsing some hundred lines.
    """
    return re.compile(rb"^(?:" + _line(columns, _VALUE) + rb"|([^\n]*+)\n)", re.MULTILINE)


@functools.cache
def one() -> re.Pattern[bytes]:
    """For `match` at the beginning of one line: the groups `key`, `result` and `duration`.

    What the group `result` has may be any text: it is the whole result if it is JSON.
    """
    return re.compile(_line(("key", "result", "duration"), rb"[^\n]*"))


def _line(columns: tuple[str, ...], result: bytes) -> bytes:
    """A line with a group for each of `columns`, in the order of KEYS; `result` is what the result may be."""
    first, *others = (key._replace(value=result) if key.name == "result" else key for key in _KEYS)
    parts = [rb"\{" + _field(first, columns)]
    for key in others:
        parts.append(_optional(rb"," + _field(key, columns)) if key.may_lack else rb"," + _field(key, columns))
        if key.name == "key":
            parts.append(_OTHERS)
    return b"".join((*parts, _OTHERS, rb"\}\n"))


def _optional(field: bytes) -> bytes:
    return rb"(?:" + field + rb")?+"


def _field(key: _Key, columns: tuple[str, ...]) -> bytes:
    group = rb"(?P<%b>%b)" % (key.name.encode(), key.value) if key.name in columns else key.value
    return b'"%b":%b' % (key.name.encode(), group)
