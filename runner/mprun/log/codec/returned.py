"""A regular expression for the line of a task that returned. It matches only where parsing gives the same values.

A matching line has the keys of `KEYS`, in their order and once each. Unknown keys with simple values may stand after
the key of the task, and at the end. All other lines are left to the parser: the expression is only for speed.

All repetitions but that of `any_result` are possessive (`*+`). They never give back what they matched, so a hostile
line costs linear time.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

# 18 digits at most: each such number fits 64 bits, on which all parsers agree.
_INT = rb"(?:0|[1-9]\d{0,17}+)"
_NUMBER = rb"-?+" + _INT + rb"(?:\.\d++)?+(?:[eE][-+]?+\d++)?+"
_UTF8 = (  # characters of more than one byte, well-formed as in RFC 3629: a parser rejects all others
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


# The order of the keys in a line. Lines of workers lack `reused`, and `key` without the pool's `keys`; lines of reused
# calls lack `worker` and `waited`.
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
# Unknown keys only: of a known key that stands there twice, a JSON parser would take the second value.
_OTHERS = rb'(?:,"(?!(?:' + _KNOWN + rb')")[A-Za-z_][\w.]*+":' + _SCALAR + rb")*+"


@functools.cache
def many(columns: tuple[str, ...]) -> re.Pattern[bytes]:
    """Return the expression for `findall` over whole lines.

    It has a group for each of `columns`, and a last one for the text of a line that doesn't match. One of the columns
    is `step`, which is never empty in a line that matches. Compiling takes about 10 ms.
    """
    return re.compile(rb"^(?:" + _line(columns, _VALUE) + rb"|([^\n]*+)\n)", re.MULTILINE)


@functools.cache
def one(*, any_result: bool = False) -> re.Pattern[bytes]:
    """Return the expression for `match` at the beginning of a line, with the groups `result`, `duration` and `key`.

    With `any_result`, it takes any text in the place of the result. The caller must check that the text is JSON.
    """
    return re.compile(_line(("key", "result", "duration"), rb"[^\n]*" if any_result else _VALUE))


def _line(columns: tuple[str, ...], result: bytes) -> bytes:
    """Return the expression of a line, with a group for each of `columns` in the order of KEYS.

    `result` is the expression of the result.
    """
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
