"""The `if` of a step: parsed into an expression, with values known before the start put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mprun.errors.places import Path
from mprun.language.expressions import (
    Compared,
    Constant,
    Expression,
    ExpressionError,
    Joined,
    Listed,
    Name,
    Not,
    leaves,
    names_in,
)
from mprun.language.references import SCOPES, Reference
from mprun.loading.mistakes import Mistake, found, short
from mprun.loading.suggestions import did_you_mean, suggest


def syntax_mistake(text: str, path: Path, error: ExpressionError) -> Mistake:
    """Return the mistake with the caret under what can't be parsed, if the line is written as it is parsed."""
    start = error.column - 1
    return Mistake("bad-condition", str(error), path, near=text[start : start + error.length], skip=start)


def references_of(expression: Expression) -> list[Reference]:
    return [name for name in names_in(expression) if isinstance(name, Reference)]


def bare_names(expression: Expression, path: Path, params: Sequence[str]) -> Iterator[Mistake]:
    """Yield names without `${…}`, which mean nothing: a text without its quotes, or a reference without its braces."""
    for name in names_in(expression):
        if isinstance(name, Name):
            message = f"`{short(str(name))}` means nothing here: texts stand in quotes, references in `${{…}}`"
            yield Mistake(
                "bad-condition", message, path, advice=_meant(name, params), near=str(name), skip=name.column - 1
            )


def quoted_references(expression: Expression, path: Path) -> Iterator[Mistake]:
    """Yield references in quotes, as shells and templates have them: they would be compared as literal text."""
    for leaf in leaves(expression):
        written = _REFERENCE.search(leaf.value) if isinstance(leaf, Constant) and isinstance(leaf.value, str) else None
        if written is not None:
            message = f"`{short(written.group())}` in quotes is that very text, and not what it refers to"
            advice = "write it without quotes"
            yield Mistake("bad-condition", message, path, advice=advice, near=written.group())


_REFERENCE = re.compile(rf"\$\{{({'|'.join(SCOPES)})\b[^}}]*\}}")


def _meant(name: Name, params: Sequence[str]) -> str:
    if name.parts[0] in SCOPES:
        return did_you_mean(f"${{{short(str(name))}}}")
    word = {"True": "true", "False": "false", "None": "null"}.get(str(name), "")
    close = suggest(str(name), params) if not word else ""
    return did_you_mean(f"${{params.{close}}}" if close else word)


def odd_comparisons(expression: Expression, path: Path) -> Iterator[Mistake]:
    """Comparisons of a text with a number, and the like: they are false whatever the values are, which nobody means."""
    match expression:
        case Joined(_, operands):
            for operand in operands:
                yield from odd_comparisons(operand, path)
        case Not(operand):
            yield from odd_comparisons(operand, path)
        case Compared(left, operator, right):
            message = _never_in(operator, left, right) if "in" in operator else _never_equal(operator, left, right)
            if message:
                has_text = any(
                    isinstance(leaf, Constant) and isinstance(leaf.value, str) for leaf in leaves(expression)
                )
                yield Mistake("bad-condition", message, path, notes=_ON_TEXT if has_text else ())


_ON_TEXT = ("variables of the environment are text",)


def _never_equal(operator: str, left: Expression, right: Expression) -> str:
    """What is odd about `left == right`, or about another comparison but `in`; empty for nothing."""
    one, other = _known(left), _known(right)
    if not _differ(one, other):
        return ""
    return f"`{operator}` compares {found(one)} with {found(other)}: they are never equal, and have no order"


def _never_in(operator: str, left: Expression, right: Expression) -> str:
    """What is odd about `left in right`; empty for nothing."""
    one, among = _known(left), _known(right)
    if _kind(among) in ("number", "truth value") or (isinstance(among, str) and _differ(one, among)):
        return f"`{operator}` looks for {found(one)} in {found(among)}: it is never in there"
    if not isinstance(among, list | tuple | dict) or not among or not all(_differ(one, item) for item in among):
        return ""
    kinds = list(dict.fromkeys(f"{_kind(item)}s" for item in among))
    return f"`{operator}` looks for {found(one)} among {' and '.join(kinds)}: it is never one of them"


_UNKNOWN: Any = None  # and null, with which any value may be compared
_KINDS: dict[type, str] = {
    str: "text",
    bool: "truth value",
    int: "number",
    float: "number",
    list: "list",
    tuple: "list",
    dict: "mapping",
}


def _known(operand: Expression) -> Any:
    """The value of a constant, and of a list of such with `_UNKNOWN` for the others."""
    match operand:
        case Constant(value):
            return value
        case Listed(items):
            return [_known(item) for item in items]
    return _UNKNOWN


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "")


def _differ(left: Any, right: Any) -> bool:
    """Whether both are known to be of different kinds."""
    return "" not in (_kind(left), _kind(right)) and _kind(left) != _kind(right)
