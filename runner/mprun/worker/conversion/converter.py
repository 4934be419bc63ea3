"""What one annotation does with a value: makes of it what is asked for, or says what is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mprun.language.references import written_out
from mprun.log.values import bounded_repr, spelled_out, type_name

MAX_FAULTS = 10  # reported for one value
MAX_TOLD = 40  # characters of a value

Convert = Callable[[Any], Any]

# The types of what YAML and JSON give.
PLAIN: frozenset[type] = frozenset({bool, int, float, str, type(None), list, dict})
NONE: frozenset[type] = frozenset()


class Fault(NamedTuple):
    """One thing that is wrong with a value.

    `message` ends the sentence "`function` takes `parameter` …", `path` leads there from the argument; with `at_key`
    it is the key that is wrong, and not what it stands for. `unclear`: the value could be read in two ways.
    """

    message: str
    advice: str = ""
    path: tuple[str | int, ...] = ()
    at_key: bool = False
    unclear: bool = False


class Mismatch(Exception):  # noqa: N818 -- not every one is an error: a union tries all its members
    """The value is not what the annotation asks for. Carries the `faults`, of which there is at least one.

    `unclear`: nothing else is wrong with it than that it can be read in two ways.
    """

    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = faults[:MAX_FAULTS]
        self.unclear = all(fault.unclear for fault in faults)

    def below(self, key: str | int) -> list[Fault]:
        """The faults as those of a value in which this one stands at `key`."""
        return [fault._replace(path=(key, *fault.path)) for fault in self.faults]


@dataclass(frozen=True, slots=True)
class Converter:
    """`takes` ends "it is taken as …"; `convert` gives what the annotation asks for, or raises Mismatch.

    `reads` are the types of plain data (PLAIN) of which it takes some value, `sure` those of which it takes every one.
    `keeps` says that it gives back every value that it takes, and not another one made of it. Of the types in `unclear`
    values can be read in more than one way.
    """

    takes: str
    convert: Convert
    reads: frozenset[type] = PLAIN
    sure: frozenset[type] = NONE
    keeps: bool = False
    unclear: frozenset[type] = NONE


def _same(value: Any) -> Any:
    return value


ANYTHING = Converter("anything", _same, sure=PLAIN, keeps=True)


class Rules(NamedTuple):
    """How values are read: `text`, as text from outside (csv); `settled`, what several members of a union take is
    what it is already, as all that stands in the workflow was found to be clear before the start, and what another step
    has returned has its type."""

    text: bool = False
    settled: bool = False


def refused(takes: str, value: Any, advice: str = "") -> Mismatch:
    return Mismatch(Fault(f"as {takes}, not {shown(value)}", advice))


def each(values: Iterable[Any], convert: Convert) -> list[Any]:
    """`values` converted. Raises Mismatch with the faults of all of them, by index."""
    converted: list[Any] = []
    faults: list[Fault] = []
    for index, value in enumerate(values):
        try:
            converted.append(convert(value))
        except Mismatch as mismatch:
            faults += mismatch.below(index)
    if faults:
        raise Mismatch(*faults)
    return converted


def shown(value: Any) -> str:
    """`value` in a sentence: its kind, and what it is where that is short.

    Never show the beginning of a long text: a secret cut in two could not be found and masked.
    """
    if value is None or isinstance(value, bool):
        return f"`{written_out(value)}`"
    kind = type(value)
    if kind is str:
        return _shown_text(value)
    if kind in (int, float):
        return f"the number `{bounded_repr(value, MAX_TOLD)}`"
    if kind in (list, dict):
        return "a list" if kind is list else "a mapping"
    return with_article(type_name(kind))


def _shown_text(text: str) -> str:
    if len(text) > MAX_TOLD:
        return f"a text of {len(text):,} characters"
    return f"the text `{spelled_out(text)}`" if text else "an empty text"


def with_article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeio" else f"a {name}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The advice to write the one of `known` that is spelt most like `name`; empty where none is."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean `{near[0]}`?" if near else ""


def alternatives(texts: Sequence[str], most: int = 8) -> str:
    """`a`, `a or b`, `a, b or c`: at most so many of them."""
    if len(texts) > most:
        return f"{', '.join(texts[:most])}, … ({len(texts) - most} more)"
    return " or ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
