"""Lists, tuples, sets and mappings, with what is in them."""

from __future__ import annotations

import collections.abc as abstract
from collections.abc import Callable
from typing import Any

from mprun.worker.conversion.converter import (
    ANYTHING,
    NONE,
    PLAIN,
    Converter,
    Fault,
    Mismatch,
    each,
    refused,
    shown,
)
from mprun.worker.conversion.marks import NOTHING, content, entries_of

Of = Callable[[Any], Converter]

# What is made of a list, and which other values are as good as one.
_SEQUENCES: dict[Any, tuple[type, tuple[Any, ...]]] = {
    list: (list, (list,)),
    tuple: (tuple, (list, tuple)),
    set: (set, (list, set, frozenset)),
    frozenset: (frozenset, (list, set, frozenset)),
    abstract.Set: (set, (list, set, frozenset)),
    abstract.MutableSet: (set, (list, set)),
}
_ABSTRACT = (
    abstract.Sequence,
    abstract.MutableSequence,
    abstract.Collection,
    abstract.Iterable,
    abstract.Reversible,
    abstract.Container,
)
_MAPPINGS = (dict, abstract.Mapping, abstract.MutableMapping)


def is_container(kind: Any) -> bool:
    return kind in _SEQUENCES or kind in _ABSTRACT or kind in _MAPPINGS


def container_converter(kind: Any, arguments: tuple[Any, ...], of: Of) -> Converter:
    """The converter of `kind[arguments]`, where `of` gives that of an argument."""
    if kind in _MAPPINGS:
        return _mapping(kind, *(map(of, arguments) if len(arguments) == 2 else (ANYTHING, ANYTHING)))
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        return _fixed_tuple(list(map(of, () if arguments == ((),) else arguments)))
    element = of(arguments[0]) if arguments else ANYTHING
    return _abstract_sequence(kind, element) if kind in _ABSTRACT else _sequence(kind, element)


def _sequence(kind: Any, element: Converter) -> Converter:
    made: Any
    made, taken = _SEQUENCES[kind]
    convert_element = element.convert

    def convert(value: Any) -> Any:
        if made in (set, frozenset) and (members := content(value, "$set")) is not NOTHING:
            value = members
        if not isinstance(value, taken):
            raise refused("a list", value)
        if element is ANYTHING:
            return value if type(value) is made else _remade(made, value, list(value))
        return _remade(made, value, each(value, convert_element))

    return Converter(
        "a list",
        convert,
        frozenset({list}),
        frozenset({list}) if element is ANYTHING and made in (list, tuple) else NONE,
        keeps=made is list and element.keeps,
    )


def _remade(made: Any, value: Any, items: list[Any]) -> Any:
    """`items` as `made`; `value` itself, where it is one and has just these."""
    if type(value) is made and all(new is old for new, old in zip(items, value, strict=True)):
        return value
    try:
        return made(items)
    except TypeError:
        raise Mismatch(Fault("as a set of values that can be hashed, not of lists or mappings")) from None


def _fixed_tuple(elements: list[Converter]) -> Converter:
    takes = f"a list of {len(elements) or 'no'} value{'' if len(elements) == 1 else 's'}"

    def convert(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise refused(takes, value)
        if len(value) != len(elements):
            raise Mismatch(Fault(f"as {takes}, not of {len(value)}"))
        return _remade(tuple, value, _one_by_one(value, elements))

    return Converter(takes, convert, frozenset({list}))


def _one_by_one(values: Any, converters: list[Converter]) -> list[Any]:
    pairs = list(zip(values, converters, strict=True))
    return each(pairs, lambda pair: pair[1].convert(pair[0]))


def _abstract_sequence(kind: type, element: Converter) -> Converter:
    """Text is a sequence too, of texts; a set or a generator that another step made is whatever it is."""
    text_fits = element is ANYTHING or (str in element.sure and element.keeps)

    def convert(value: Any) -> Any:
        if type(value) is list:
            return _remade(list, value, each(value, element.convert))
        if isinstance(value, kind) and (text_fits or not isinstance(value, str)):
            return value
        raise refused("a list", value)

    return Converter("a list", convert, frozenset({list, str, dict}), keeps=element.keeps)


def _mapping(kind: type, key: Converter, of_value: Converter) -> Converter:
    free = key is ANYTHING and of_value is ANYTHING

    def convert(value: Any) -> Any:
        if not isinstance(value, kind):
            raise refused("a mapping", value)
        return value if free and content(value, "$dict") is NOTHING else _converted_entries(value, key, of_value)

    return Converter(
        "a mapping",
        convert,
        frozenset({dict}),
        frozenset({dict}) if free else NONE,
        keeps=key.keeps and of_value.keeps,
    )


def _converted_entries(value: Any, key: Converter, of_value: Converter) -> Any:
    entries: dict[Any, Any] = {}
    faults: list[Fault] = []
    unchanged = type(value) in PLAIN and content(value, "$dict") is NOTHING
    for name, item in _entries(value):
        try:
            converted = _new_key(name, key, entries)
        except Mismatch as mismatch:
            faults += mismatch.faults
            continue
        try:
            entries[converted] = of_value.convert(item)
        except Mismatch as mismatch:
            faults += mismatch.below(name)
            continue
        unchanged = unchanged and converted is name and entries[converted] is item
    if faults:
        raise Mismatch(*faults)
    return value if unchanged else entries


def _entries(value: Any) -> Any:
    try:
        return entries_of(value)
    except ValueError:
        raise refused("a mapping", value) from None


def _new_key(name: Any, key: Converter, entries: dict[Any, Any]) -> Any:
    """`name` as `key` has it. Raises Mismatch, also where it can't be one, or is one of `entries` already."""
    try:
        converted = key.convert(name)
        if converted not in entries:
            return converted
        raise Mismatch(Fault(f"as a mapping in which {shown(name)} is a key twice", "", (name,), at_key=True))
    except TypeError:
        raise Mismatch(Fault(f"as a mapping, of which {shown(name)} can't be a key")) from None
    except Mismatch as mismatch:
        raise Mismatch(*(fault._replace(path=(name,), at_key=True) for fault in mismatch.faults)) from None
