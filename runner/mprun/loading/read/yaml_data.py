"""Turns YAML text into plain data, the place of each key and value, and what is wrong with the text.

It builds the data from the parser's events, iteratively and within limits. PyYAML's own composer recurses (200,000 `[`
end the process), reads YAML 1.1 (where `no` is false), and silently replaces an earlier key by a later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml

from mprun.errors.exceptions import Diagnostic, WorkflowError
from mprun.errors.places import Path, Places, Span
from mprun.loading.mistakes import short
from mprun.loading.read.file import split_lines
from mprun.loading.read.yaml_syntax import MAX_DEPTH, TOO_DEEP, syntax_diagnostic

MAX_ALIASED_NODES = 100_000
# Python itself refuses to parse or print integers of more than 4,300 digits.
MAX_DIGITS = 1000

FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_KEY: Any = object()
_MERGE: Any = object()

# The core scalars of YAML 1.2: which plain text is a number, a boolean or null. All other text is text.
_Scalar = str | int | float | bool | None

_WORDS: dict[str, _Scalar] = {
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


class YamlData(NamedTuple):
    """The `data` of the one document (None if there is none).

    `spoiled` are the paths of the values that `diagnostics` are about.
    """

    data: Any
    places: Places
    diagnostics: tuple[Diagnostic, ...]
    spoiled: frozenset[Path]


def read_yaml(text: str, file: str, loader: Any = FAST_LOADER) -> YamlData:
    """Parse `text`. Mistakes that leave the rest readable are collected. Raises WorkflowError for the others."""
    lines = split_lines(text)
    composer = _Composer(Places(file, lines))
    try:
        for event in _events(text, file, lines, loader):
            composer.take(event)
    except WorkflowError as error:
        raise WorkflowError((*composer.diagnostics, *error.diagnostics)) from None
    return YamlData(composer.root, composer.places, tuple(composer.diagnostics), frozenset(composer.spoiled))


def _events(text: str, file: str, lines: Sequence[str], loader: Any) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=loader)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two for an escape such as "\UFFFFFFFF"
        raise WorkflowError((syntax_diagnostic(error, file, lines),)) from None


@dataclass(slots=True)
class _Node:
    """A finished value that an alias can repeat. `nodes` is the number of values in it, including itself."""

    value: Any
    path: Path
    nodes: int = 1


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is still open."""

    path: Path
    start: yaml.Event
    data: Any
    nodes: int = 1
    key: Any = _NO_KEY
    merge_span: Span | None = None
    merged: list[_Node] = field(default_factory=list)

    @property
    def wants_key(self) -> bool:
        return isinstance(self.data, dict) and self.key is _NO_KEY

    def next_path(self) -> Path:
        if isinstance(self.data, list):
            return (*self.path, len(self.data))
        return (*self.path, "<<" if self.key is _MERGE else self.key)


class _Composer:
    """Takes the events one by one. `root` is the data when all are taken."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.root: Any = None
        self.diagnostics: list[Diagnostic] = []
        self.spoiled: set[Path] = set()
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Node | None] = {}  # None while the node is still open
        self._documents = 0
        self._aliased = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._open(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _document(self, event: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fatal(
                "several-documents", "a workflow file holds one YAML document", event, "a second one starts here"
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame and frame.wants_key:
            self._key(frame, self._read(event, frame.path), event)
            return
        path = self._next_path()
        self.places.add_value(path, self._value_span(path, event))
        self._put(_Node(self._read(event, path), path), event.anchor)

    def _read(self, event: yaml.ScalarEvent, path: Path) -> Any:
        self._refuse_tag(event, path)
        if event.style:
            return self._clean_text(event, path)
        try:
            return _read_plain(event.value)
        except OverflowError:
            self._mistake(
                "big-number", f"a number has at most {MAX_DIGITS:,} digits", event, path, "as text it needs quotes"
            )
            return 0

    def _clean_text(self, event: yaml.ScalarEvent, path: Path) -> str:
        text: str = event.value
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._mistake("bad-text", "half of a surrogate pair is not a character", event, path)
            return ""
        return text

    def _key(self, frame: _Frame, key: Any, event: yaml.Event) -> None:
        span = _span(event)
        if key == "<<" and not getattr(event, "style", None):
            if frame.merge_span:
                self._duplicate(
                    event,
                    frame.path,
                    "`<<` is here a second time",
                    frame.merge_span,
                    "`<<: [*a, *b]` merges several",
                )
            frame.key, frame.merge_span = _MERGE, span
            return
        frame.key = key
        path = frame.next_path()
        if key in frame.data:
            first = self.places.key(path)
            earlier = Span(first.line - 1, first.column - 1, first.length)
            self._duplicate(event, path, f"the key `{short(key)}` is here a second time", earlier)
        self.places.add_key(path, span)

    def _duplicate(self, event: yaml.Event, path: Path, message: str, first: Span, advice: str = "") -> None:
        self._mistake("duplicate-key", message, event, path, advice, (f"the first is at {self.places.place(first)}",))

    def _open(self, event: Any) -> None:
        if self._stack and self._stack[-1].wants_key:
            self._fatal(
                "complex-key", "a key is text or a number, not a list or a mapping", event, "did you mean to quote it?"
            )
        if len(self._stack) >= MAX_DEPTH:
            self._fatal("too-deep", TOO_DEEP, event)
        path = self._next_path()
        self._refuse_tag(event, path)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(path, event, [] if isinstance(event, yaml.SequenceStartEvent) else {}))

    def _close(self, event: yaml.Event) -> None:
        frame = self._stack.pop()
        start: Any = frame.start
        span = self._value_span(frame.path, start, event if start.flow_style else None)
        self.places.add_value(frame.path, span)
        value = self._merge(frame) if frame.merged else frame.data
        self._put(_Node(value, frame.path, frame.nodes), start.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        node = self._repeated(event)
        self._aliased += node.nodes
        if self._aliased > MAX_ALIASED_NODES:
            self._fatal("alias-bomb", f"aliases repeat more than {MAX_ALIASED_NODES:,} values", event)
        frame = self._stack[-1]
        if frame.wants_key:
            self._alias_key(frame, node, event)
            return
        path = self._next_path()
        self.places.add_value(path, _span(event))
        self.places.link(path, node.path)
        self._put(_Node(node.value, path, node.nodes), None)

    def _repeated(self, event: yaml.AliasEvent) -> _Node:
        name = str(event.anchor)
        if name not in self._anchors:
            message = f"`*{short(name)}` repeats nothing: no `&{short(name)}` stands before it"
            self._fatal("unknown-alias", message, event, "text that starts with `*` needs quotes")
        node = self._anchors[name]
        if node is None:
            message = f"`*{short(name)}` stands inside what `&{short(name)}` marks, so it has no end"
            self._fatal("cyclic-alias", message, event)
        return node

    def _alias_key(self, frame: _Frame, node: _Node, event: yaml.Event) -> None:
        if isinstance(node.value, list | dict):
            self._fatal("complex-key", "a key is text or a number, not a list or a mapping", event)
        self._key(frame, node.value, event)

    def _put(self, node: _Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node.value
            return
        frame = self._stack[-1]
        frame.nodes += node.nodes
        if isinstance(frame.data, list):
            frame.data.append(node.value)
            return
        if frame.key is _MERGE:
            frame.merged.extend(self._merge_sources(node, frame))
        else:
            frame.data.setdefault(frame.key, node.value)  # a duplicate key was reported; the first value stays
        frame.key = _NO_KEY

    def _merge_sources(self, node: _Node, frame: _Frame) -> list[_Node]:
        items = [node]
        if isinstance(node.value, list):
            items = [_Node(value, (*node.path, index)) for index, value in enumerate(node.value)]
        if all(isinstance(item.value, dict) for item in items):
            return items
        place = self.places.place(frame.merge_span or Span(0, 0, 1))
        message = "`<<` takes a mapping or a list of mappings"
        self.diagnostics.append(Diagnostic("bad-merge", message, place, "such as `<<: *name`"))
        self.spoiled.add(frame.path)
        return []

    def _merge(self, frame: _Frame) -> dict[Any, Any]:
        """Return the entries that `<<` merges, then the mapping's own, which win. Of several sources, the first
        wins."""
        brought: dict[Any, Any] = {}
        for source in frame.merged:
            for key, value in source.value.items():
                if key not in frame.data and key not in brought:
                    brought[key] = value
                    self.places.link((*frame.path, key), (*source.path, key))
        return {**brought, **frame.data}

    def _next_path(self) -> Path:
        return self._stack[-1].next_path() if self._stack else ()

    def _value_span(self, path: Path, start: yaml.Event, end: yaml.Event | None = None) -> Span:
        """Return the span of a value. A missing value and an indented block have none of their own, but the key's."""
        block = getattr(start, "flow_style", None) is False
        in_mapping = bool(self._stack) and isinstance(self._stack[-1].data, dict)
        if in_mapping and (block or _span(start).length == 0):
            place = self.places.key(path)
            return Span(place.line - 1, place.column - 1, place.length)
        return _span(start, end)

    def _refuse_tag(self, event: Any, path: Path) -> None:
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            message = f"the tag `{short(tag)}` has no meaning in a workflow"
            self._mistake("tag", message, event, path, "remove it; text that starts with `!` needs quotes")

    def _mistake(
        self, code: str, message: str, event: yaml.Event, path: Path, advice: str = "", notes: tuple[str, ...] = ()
    ) -> None:
        self.diagnostics.append(Diagnostic(code, message, self.places.place(_span(event)), advice, notes))
        self.spoiled.add(path)

    def _fatal(self, code: str, message: str, event: yaml.Event, advice: str = "") -> NoReturn:
        raise WorkflowError((Diagnostic(code, message, self.places.place(_span(event)), advice),))


def _span(start: Any, end: Any = None) -> Span:
    """Return the span from the start of `start` to the end of `end`, if that is on the same line; else one
    character."""
    first, last = start.start_mark, (end or start).end_mark
    length = last.column - first.column if last.line == first.line else 1
    if isinstance(start, yaml.ScalarEvent) and start.anchor and not start.style and last.line == first.line:
        length = len(start.value)  # the value only, without the `&name` before it
        return Span(last.line, last.column - length, length)
    return Span(first.line, first.column, length)


def _read_plain(text: str) -> _Scalar:
    """Return the value of an unquoted scalar. Raises OverflowError for a number of more than `MAX_DIGITS` digits."""
    if text in _WORDS:
        return _WORDS[text]
    return _read_number(text) if text[0] in _MAY_START_A_NUMBER else text


def _read_number(text: str) -> _Scalar:
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise OverflowError(f"a number of more than {MAX_DIGITS:,} digits")
            return int(text, base)
    return float(text) if _FLOAT.fullmatch(text) else text
