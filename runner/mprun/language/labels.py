"""Labels of tasks and of cells: `cnn-3` for {model: cnn, depth: 3}, `north` for the text north.

A label is visible text of at most MAX_LABEL characters. Within a step it is unique: a second `north` has its index
appended, `north#7`. Addresses and displays use it. It is not a file name: it may contain a `/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mprun.language.references import Reference, Template, evaluate, follow

MAX_LABEL = 64
JOINT = "-"


def label_of(value: Any) -> str:
    """The label of a value: the values of a mapping joined by `-`, the items of a list by `,`."""
    text = _text(value)
    visible = text if text.isprintable() else "".join(map(_visible, text))
    return _cut(visible or '""')


def label_by_field(value: Any, field: str) -> str | None:
    """The label of the field `field` of `value`; None where there is none.

    `a.b` is the `b` of its `a`; `a.0` is the first item where `a` is a list.
    """
    for part in field.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return label_of(value)


def key_of(item: Any, keys: str | Reference | Template) -> str | None:
    """The label of `item` by the `keys` of its step: the name of a field, or a text that refers to the item.

    None where the field doesn't exist. Never raises: an item may be a user's object, and a label must not fail a task.
    """
    try:
        if isinstance(keys, str):
            return label_by_field(item, keys)
        return label_of(evaluate(keys, lambda reference: follow(item, reference.path)))
    except Exception:  # noqa: BLE001 -- the field doesn't exist, or attributes and `__str__` run the user's code
        return None


def unique(bare: Iterable[str]) -> Iterator[str]:
    """Make labels unique: append its index to each that came before."""
    given: set[str] = set()
    for index, label in enumerate(bare):
        free, marks = label, ""
        while free in given:
            marks += "#"  # repeats where an item's own text is `north#7`
            free = _cut(label, f"{marks}{index}")
        given.add(free)
        yield free


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case Mapping():
            return JOINT.join(map(_text, value.values()))
        case list() | tuple():
            return ",".join(map(_text, value))
        case _:
            return str(value)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _cut(text: str, end: str = "") -> str:
    """`text` followed by `end`, with `text` cut to fit."""
    room = MAX_LABEL - len(end)
    return (text if len(text) <= room else text[: room - 1] + "…") + end
