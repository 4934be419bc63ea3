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
from mprun.loading.mistakes import Mistake, found, is_number, short
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
    """Yield comparisons of a text with a number. They are always false, which nobody means."""
    match expression:
        case Joined(_, operands):
            for operand in operands:
                yield from odd_comparisons(operand, path)
        case Not(operand):
            yield from odd_comparisons(operand, path)
        case Compared(Constant(left), operator, Constant(right)) if _differ(left, right) and "in" not in operator:
            message = (
                f"`{operator}` compares {found(left)} with {found(right)}: they are never equal, and have no order"
            )
            yield Mistake("bad-condition", message, path, notes=_WHY)
        case Compared(Constant(left), "in" | "not in" as operator, right) if (items := _items(right)) and all(
            _differ(left, item) for item in items
        ):
            kind = "numbers" if isinstance(left, str) else "texts"
            message = f"`{operator}` looks for {found(left)} among {kind}: it is never one of them"
            yield Mistake("bad-condition", message, path, notes=_WHY)


_WHY = ("variables of the environment are text",)


def _items(right: Expression) -> list[Any]:
    """Return the items of a list whose values are known; empty if one isn't."""
    match right:
        case Constant(list() as items):
            return items
        case Listed(parts) if all(isinstance(part, Constant) for part in parts):
            return [part.value for part in parts if isinstance(part, Constant)]
    return []


def _differ(left: Any, right: Any) -> bool:
    return (isinstance(left, str) and is_number(right)) or (is_number(left) and isinstance(right, str))
