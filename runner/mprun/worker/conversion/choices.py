"""One of several: unions, literals, enumerations."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from types import NoneType
from typing import Any

from mprun.language.equality import same
from mprun.language.references import written_out
from mprun.worker.conversion.converter import (
    ANYTHING,
    PLAIN,
    Converter,
    Fault,
    Mismatch,
    Rules,
    alternatives,
    did_you_mean,
    refused,
    shown,
    with_article,
)
from mprun.worker.conversion.marks import NOTHING, content, member_of
from mprun.worker.conversion.scalars import read_bool, read_float, read_int, read_nothing

_READ = {int: read_int, bool: read_bool, float: read_float, NoneType: read_nothing}


def literal_converter(options: Sequence[Any], text: bool) -> Converter:
    """The converter of `Literal[options]`."""
    names = [_shown(option) for option in options]
    takes = alternatives([f"`{name}`" for name in names])

    def convert(value: Any) -> Any:
        for as_text in (False, True) if text else (False,):  # the text `1` is the option "1" before it stands for 1
            for option in options:
                if option is value or _means(option, value, as_text):
                    return option if isinstance(option, Enum) or type(value) is not type(option) else value
        raise refused(takes, value, _advice(value, names))

    plain = not text and not any(isinstance(option, Enum) for option in options)
    reads = frozenset(map(type, options)) & PLAIN if plain else PLAIN
    return Converter(takes, convert, reads, keeps=plain)


def _shown(option: Any) -> str:
    return option.name if isinstance(option, Enum) else written_out(option)


def _means(option: Any, value: Any, text: bool) -> bool:
    """Whether `value` stands for `option`: it is equal and of its type, or the text for it."""
    if isinstance(option, Enum):
        by_name = value == option.name or member_of(type(option), content(value, "$enum")) is option
        return type(value) in PLAIN and (_means(option.value, value, text) or by_name)
    if type(value) is type(option):
        return same(value, option)
    return text and type(value) is str and _as_text_of(option, value)


def _as_text_of(option: Any, value: str) -> bool:
    read: Any = _READ.get(type(option))
    try:
        return read is not None and read(value) == option
    except ValueError:
        return False


def _advice(value: Any, names: list[str]) -> str:
    return did_you_mean(value, names) if isinstance(value, str) else ""


def enum_converter(kind: type[Enum], text: bool) -> Converter:
    """The converter of an enumeration: by a member's value, else by its name."""
    names = [written_out(member.value) if type(member.value) in PLAIN else member.name for member in kind]
    takes = f"{with_article(kind.__name__)} ({alternatives([f'`{name}`' for name in names])})"

    def convert(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        member = _member(kind, value, text)
        if member is NOTHING:
            raise refused(takes, value, _advice(value, [*names, *kind.__members__]))
        return member

    return Converter(takes, convert, PLAIN)


def _member(kind: type[Enum], value: Any, text: bool) -> Any:
    named = member_of(kind, value if text else content(value, "$enum"))
    if named is not NOTHING:
        return named
    for as_text in (False, True) if text else (False,):
        for member in kind.__members__.values():
            if _means(member.value, value, as_text):
                return member
    if isinstance(value, str) and value in kind.__members__:
        return kind.__members__[value]
    return _made_by_class(kind, value)


def _made_by_class(kind: type[Enum], value: Any) -> Any:
    """Flags that are joined, and what a `_missing_` of the user's knows."""
    try:
        member = kind(value)
    except Exception:  # noqa: BLE001 -- `_missing_` is the user's code
        return NOTHING
    return NOTHING if member.value == value and not same(member.value, value) else member


def union_converter(members: list[Converter], rules: Rules) -> Converter:
    """The converter of a union. It refuses a value that two members read differently.

    A number, a list or an object that a member takes as it is, is just that; text and mappings stand for much.
    """
    if any(member is ANYTHING for member in members):
        return ANYTHING
    takes = alternatives([member.takes for member in members])
    takes_nothing = any(type(None) in member.sure for member in members)

    def convert(value: Any) -> Any:
        if rules.text and takes_nothing and type(value) is str and not value:
            return None
        readings: list[tuple[Converter, Any]] = []
        mismatches: list[Mismatch] = []
        plain = not rules.settled and _stands_for_much(value)
        for member in members:
            try:
                read = member.convert(value)
            except Mismatch as mismatch:
                mismatches.append(mismatch)
                continue
            if read is value and not plain:
                return value
            readings.append((member, read))
        if unclear := next((mismatch for mismatch in mismatches if mismatch.unclear), None):
            raise unclear
        if not readings:
            raise _nearest(takes, value, members, mismatches)
        return _only(readings, value)

    return Converter(
        takes,
        convert,
        frozenset().union(*(member.reads for member in members)),
        frozenset().union(*(member.sure for member in members)),
        keeps=all(member.keeps for member in members),
        unclear=frozenset(kind for kind in (str, dict) if _is_unclear(kind, members, rules)),
    )


def _stands_for_much(value: Any) -> bool:
    return isinstance(value, str | dict) or (isinstance(value, list) and any(map(_stands_for_much, value)))


def _is_unclear(kind: type, members: list[Converter], rules: Rules) -> bool:
    reading = [member for member in members if kind in member.reads]
    if rules.text:  # of text from outside only the empty one is None, and that is nothing else
        reading = [member for member in reading if member.sure != {NoneType}]
    return len(reading) > 1 and any(kind in member.sure for member in reading)


def _only(readings: list[tuple[Converter, Any]], value: Any) -> Any:
    """The value that all the readings agree on. Raises Mismatch."""
    member, best = readings[0]
    for other, read in readings[1:]:
        agreed = _agreed(best, read)
        if agreed is NOTHING:
            ways = f"{member.takes} and as {other.takes}"
            message = f"in two ways: {shown(value)} can be read as {ways}"
            raise Mismatch(Fault(message, "annotate it with one of them", unclear=True))
        best = agreed
    return best


def _agreed(one: Any, other: Any) -> Any:
    """What both are, as it is written: of 5 and 5.0 the int, of a text and the member of a StrEnum that it is the text,
    of lists what their items are. NOTHING where they differ."""
    kind = type(one)
    if kind is type(other) and kind in (list, tuple):
        items = list(map(_agreed, one, other)) if len(one) == len(other) else [NOTHING]
        return NOTHING if _differ(items) else kind(items)
    if kind is type(other) and kind is dict:
        items = list(map(_agreed, one.values(), other.values()))
        return NOTHING if _differ(items) or not same(list(one), list(other)) else dict(zip(one, items, strict=True))
    if kind is type(other):
        return one if same(one, other) else NOTHING
    related = isinstance(one, type(other)) or isinstance(other, kind) or {kind, type(other)} == {int, float}
    if not related or not bool(one == other):
        return NOTHING
    return other if kind is float or isinstance(one, type(other)) else one


def _differ(items: list[Any]) -> bool:
    return any(item is NOTHING for item in items)


def _nearest(takes: str, value: Any, members: list[Converter], mismatches: list[Mismatch]) -> Mismatch:
    """The fault where no member takes the value: that of the member it was meant for, if there is no doubt."""
    meant = [
        mismatch
        for member, mismatch in zip(members, mismatches, strict=True)
        if type(value) in (list, dict) and type(value) in member.reads
    ]
    if len(meant) == 1:
        return meant[0]
    advice = {fault.advice for mismatch in mismatches for fault in mismatch.faults} - {""}
    return refused(takes, value, advice.pop() if len(advice) == 1 else "")
