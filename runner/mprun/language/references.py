"""References `${…}` in values: parsing them, and substituting their values.

A text that is exactly one reference keeps the type of its value. In a longer text the value becomes text. `$${` is a
literal `${`. Parent and child use this: the parent substitutes what is known before the start, a child the rest.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from mprun.language.path_parts import PATH_PARTS, path_part

SCOPES = ("params", "env", "item", "matrix", "results", "run", "shared")
SCALARS = frozenset({str, int, float, bool, type(None)})  # most items of a long list: skipped quickly
WITHOUT_NAME = ("item",)  # `${item}` needs no name; the others do: `${params.x}`

FINALS = "finals"  # `${results.step.finals}`: what the finalizers of a pool returned

VARIABLE_PREFIX = "MPRUN_PARAM_"

_OPENING = re.compile(r"\$?\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PART = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Reference:
    """`${scope.path}`: `scope` is one of SCOPES, `path` has the names after it."""

    scope: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "${" + ".".join((self.scope, *self.path)) + "}"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with references: its literal parts and its references, in order."""

    parts: tuple[str | Reference, ...]

    def __str__(self) -> str:
        return "".join(escaped(part) if isinstance(part, str) else str(part) for part in self.parts)


@runtime_checkable
class Refers(Protocol):
    """An object that holds references in a form of its own."""

    def references(self) -> Iterable[Reference]: ...


Lookup = Callable[[Reference], Any]


class ReferenceSyntaxError(ValueError):
    """A `${…}` that can't be parsed. `text` is the wrong part; `advice` says what to write."""

    def __init__(self, message: str, text: str, advice: str = "") -> None:
        super().__init__(message)
        self.text = text
        self.advice = advice


def parse(text: str) -> str | Reference | Template:
    """Parse `text`: a literal text, one reference, or a template. Raises ReferenceSyntaxError."""
    parts: list[str | Reference] = []
    literal, position = "", 0
    for opening in _OPENING.finditer(text):
        if opening.start() < position:
            continue
        literal += text[position : opening.start()]
        if opening.group() == "$${":
            literal, position = literal + "${", opening.end()
            continue
        end = text.find("}", opening.end())
        if end < 0:
            raise ReferenceSyntaxError("this `${` is never closed", text[opening.start() :], "`$${` is a literal `${`")
        if literal:
            parts.append(literal)
        parts.append(read_reference(text[opening.end() : end]))
        literal, position = "", end + 1
    literal += text[position:]
    if not parts:
        return literal
    if len(parts) == 1 and not literal and isinstance(parts[0], Reference):
        return parts[0]
    return Template((*parts, literal) if literal else tuple(parts))


def read_reference(inside: str) -> Reference:
    """Parse `inside`, the text between the braces. Raises ReferenceSyntaxError."""
    whole = "${" + inside + "}"
    scope, *path = inside.strip().split(".")
    if not _NAME.fullmatch(scope) or not all(map(_PART.fullmatch, path)):
        advice = "such as `${params.name}`; `$${` is a literal"
        raise ReferenceSyntaxError(f"`{whole}` is not a reference", whole, advice)
    if scope in SCOPES and scope not in WITHOUT_NAME and not path:
        raise ReferenceSyntaxError(f"`{whole}` says not which one", whole, f"such as `${{{scope}.name}}`")
    return Reference(scope, tuple(path))


def evaluate(value: Any, lookup: Lookup) -> Any:
    """`value` with `lookup`'s value for each reference, also inside lists, tuples and the values of dicts.

    Returns a part without references as it is, not copied.
    """
    if isinstance(value, Reference):
        return lookup(value)
    if isinstance(value, Template):
        return "".join(part if isinstance(part, str) else written_out(lookup(part)) for part in value.parts)
    if type(value) in (list, tuple):
        items = [evaluate(item, lookup) for item in value]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    if type(value) is dict:
        entries = {key: evaluate(item, lookup) for key, item in value.items()}
        return entries if any(entries[key] is not item for key, item in value.items()) else value
    return value


def settle(value: Any, lookup: Lookup) -> Any:
    """As `evaluate`, but a reference for which `lookup` returns the reference itself stays, also in a template."""
    if isinstance(value, Template):
        return _settled_template(value, lookup)
    if isinstance(value, Reference):
        return lookup(value)
    if isinstance(value, list | tuple):
        return type(value)(settle(item, lookup) for item in value)
    return {key: settle(item, lookup) for key, item in value.items()} if isinstance(value, dict) else value


def _settled_template(template: Template, lookup: Lookup) -> str | Template:
    parts: list[str | Reference] = []
    for part in template.parts:
        known = lookup(part) if isinstance(part, Reference) else part
        text = known if isinstance(known, Reference) else written_out(known)
        if parts and isinstance(text, str) and isinstance(parts[-1], str):
            parts[-1] += text
        else:
            parts.append(text)
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else Template(tuple(parts))


def references_in(value: Any) -> Iterator[Reference]:
    """Each reference in `value`, also inside lists, tuples, the values of dicts, and conditions."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, Template):
        yield from (part for part in value.parts if isinstance(part, Reference))
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) not in SCALARS:
                yield from references_in(item)
    elif isinstance(value, dict):
        yield from references_in(list(value.values()))
    elif type(value) not in SCALARS and isinstance(value, Refers):
        yield from value.references()


def written_out(value: Any) -> str:
    """`value` as text: as YAML writes it; lists and mappings as JSON where possible."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | list | dict):
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):
            return str(value)
    return str(value)


def finals_of(step: str) -> str:
    """The name of the finals of the pool `step` among results. No step's name has a dot."""
    return f"{step}.{FINALS}"


def is_finals(results: str) -> bool:
    """Whether the results of that name are a pool's finals."""
    return "." in results


def step_of(results: str) -> str:
    """The step whose results, or whose finals, have that name."""
    return results.partition(".")[0]


def variable_name(param: str) -> str:
    """The environment variable that sets `${params.x}`: `MPRUN_PARAM_TOP_N` for `top-n`."""
    return VARIABLE_PREFIX + param.upper().replace("-", "_")


def escaped(text: str) -> str:
    """`text` such that `parse` reads it as itself."""
    return text.replace("${", "$${")


def follow(value: Any, path: tuple[str, ...]) -> Any:
    """The value at `path` in `value`: keys of mappings, indexes of sequences, parts of texts that are paths (such as
    `stem`), attributes of other objects.

    Raises LookupError with a sentence that says where the path ends.
    """
    for part in path:
        try:
            value = _part_of(value, part)
        except (LookupError, ValueError, TypeError, AttributeError):
            raise LookupError(f"it has no `{part}`: it is {_kind(value)}") from None
    return value


# Of these, Python's own attributes are no parts that a workflow could mean: `title` of a text is a method.
_WITHOUT_PARTS = frozenset({str, bytes, bool, int, float, complex, type(None), list, tuple, set, frozenset})


def _part_of(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value[part] if part in value else value[int(part)]
    if isinstance(value, list | tuple) and part.lstrip("-").isdecimal():
        return value[int(part)]
    if isinstance(value, str) and part in PATH_PARTS:
        return path_part(value, part)
    if part.startswith("_") or type(value) in _WITHOUT_PARTS:
        raise AttributeError(part)
    found = getattr(value, part)
    if inspect.isroutine(found):  # a method is not a part of a value
        raise AttributeError(part)
    return found


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, list(value)[:8])) or 'nothing in it'}"
    if isinstance(value, str):
        return f"a text, which has {', '.join(f'`{part}`' for part in PATH_PARTS)} as a path"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
