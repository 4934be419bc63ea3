"""YAML 1.2 core scalars: which plain text is a number, a boolean or nothing. All other text is text."""

from __future__ import annotations

import re

# Python itself refuses to read or print integers of more than 4,300 digits.
MAX_DIGITS = 1000

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_MAY_START_A_NUMBER = frozenset("-+.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def read_plain(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises OverflowError for a number of more than `MAX_DIGITS` digits."""
    if text in _WORDS:
        return _WORDS[text]
    return _read_number(text) if text[0] in _MAY_START_A_NUMBER else text


def _read_number(text: str) -> Scalar:
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise OverflowError(f"a number of more than {MAX_DIGITS:,} digits")
            return int(text, base)
    return float(text) if _FLOAT.fullmatch(text) else text
