"""Python source for plain values and calls, with line breaks like a formatter's. Pure text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from mprun.language.path_parts import PATH_PARTS
from mprun.language.references import Reference, Template

WIDTH = 100
INDENT = 4

Code: TypeAlias = "str | Group"


@dataclass(frozen=True, slots=True)
class Bare:
    """Code that stands for itself among values, such as a variable in a list."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """`items` between `opening` and `closing`, with commas: a call, a list, a tuple, a dict; without: a
    comprehension."""

    opening: str
    items: tuple[Code, ...]
    closing: str
    is_call: bool = False
    joint: str = ","

    @property
    def comma(self) -> str:
        """The comma that makes a tuple of one item a tuple."""
        return "," if len(self.items) == 1 and not self.is_call and self.closing.startswith(")") else ""


def call(function: str, arguments: Iterable[Code], closing: str = ")") -> Group:
    return Group(f"{function}(", tuple(arguments), closing, is_call=True)


def comprehension(element: Code, variable: str, items: Code, brackets: str = "[]") -> Group:
    """Return `[element for variable in items]`."""
    return Group(brackets[0], (element, led(f"for {variable} in ", items)), brackets[1], joint="")


def led(lead: str, code: Code) -> Code:
    """Return `code` with `lead` before it on its first line, such as `args=` or `"key": `."""
    return lead + code if isinstance(code, str) else replace(code, opening=lead + code.opening)


def literal(value: Any) -> Code:
    """Return the literal for `value`: what YAML can hold, and tuples. A value still to come is its name."""
    match value:
        case str():
            return quoted(value)
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case Bare(text):
            return text
        case Reference():
            return reference_text(value)
        case Template():
            return _f_string(value)
        case list():
            return Group("[", tuple(map(literal, value)), "]")
        case tuple():
            return Group("(", tuple(map(literal, value)), ")")
        case dict():
            return Group("{", tuple(led(f"{flat(literal(k))}: ", literal(v)) for k, v in value.items()), "}")
        case _:
            return repr(value)


def quoted(text: str) -> str:
    """Return `text` as a literal in double quotes, unless it contains some."""
    written = repr(text)
    return written if '"' in text or written.startswith('"') else f'"{written[1:-1]}"'


def reference_text(reference: Reference) -> str:
    """Return `results["count"][0]` for `${results.count.0}`, and `item.stem` for `${item.stem}`."""
    first, *further = ("", *reference.path) if reference.scope == "item" else reference.path
    return reference.scope + (_key(first) if first else "") + "".join(map(_part, further))


def _part(part: str) -> str:
    """A part of a value. Whether `stem` is a path's, or a field of a mapping, is known with the value."""
    return f".{part}" if part in PATH_PARTS else _key(part)


def _key(part: str) -> str:
    return f"[{part if part.isdecimal() else quoted(part)}]"


def _f_string(template: Template) -> str:
    return 'f"' + "".join(map(_f_part, template.parts)) + '"'


def _f_part(part: str | Reference) -> str:
    if isinstance(part, Reference):
        return "{" + reference_text(part).replace('"', "'") + "}"
    inside = repr(f'"{part}')[2:-1].replace("\\'", "'").replace('"', '\\"')
    return inside.replace("{", "{{").replace("}", "}}")


def flat(code: Code) -> str:
    """Return `code` on one line, however long."""
    if isinstance(code, str):
        return code
    return code.opening + _flat_items(code) + code.closing


def _flat_items(group: Group) -> str:
    return f"{group.joint} ".join(map(flat, group.items)) + group.comma


def lines(code: Code, indent: int = 0, after: str = "") -> str:
    """Return `code`, then `after`, indented, in lines of at most WIDTH characters if possible."""
    margin = " " * indent
    one_line = margin + flat(code) + after
    if len(one_line) <= WIDTH or isinstance(code, str) or not code.items:
        return one_line
    return "\n".join([margin + code.opening, _body(code, indent + INDENT), margin + code.closing + after])


def _body(group: Group, indent: int) -> str:
    """Return the body of a group. Arguments of a call share a line if they fit; anything else has one item per line."""
    one_line = " " * indent + _flat_items(group)
    if group.is_call and len(one_line) <= WIDTH:
        return one_line
    return "\n".join(lines(item, indent, group.joint) for item in group.items)
