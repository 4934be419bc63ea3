"""Where each key and value of a data file stands: maps a path through the data to a `Place`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mprun.errors.exceptions import Place

# Keys of mappings and indexes of lists. (Inside `args` a key may be any scalar that YAML has.)
Path = tuple[str | int, ...]


class Span(NamedTuple):
    """A part of one line. `line` and `column` count from 0."""

    line: int
    column: int
    length: int


class Places:
    """The places of one file. To save memory, a `Place` with its line of text is made only on request.

    The first span added for a path stays. Content that is written elsewhere (behind an alias, merged by `<<`) is
    linked, so that a mistake in it is shown where it was written.
    """

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.file = file
        self._lines = lines
        self._keys: dict[Path, Span] = {}
        self._values: dict[Path, Span] = {(): Span(0, 0, 1)}
        self._links: dict[Path, Path] = {}

    def add_key(self, path: Path, span: Span) -> None:
        self._keys.setdefault(path, span)

    def add_value(self, path: Path, span: Span) -> None:
        self._values.setdefault(path, span)

    def link(self, path: Path, written_at: Path) -> None:
        """Record that what lies below `path` (or at it, without a span of its own) is written at `written_at`."""
        self._links.setdefault(path, written_at)

    def with_links(self, links: Mapping[Path, Path]) -> Places:
        """Return these places with more `links`. A path that is linked already keeps its link."""
        linked = Places(self.file, self._lines)
        linked._keys, linked._values, linked._links = self._keys, self._values, {**links, **self._links}
        return linked

    def is_linked(self, path: Path, written_at: Path) -> bool:
        return self._links.get(path) == written_at

    def key(self, path: Path) -> Place:
        """Return the place of the key at `path`; the place of the value if there is no key (an item of a list)."""
        if path and isinstance(path[-1], int) and not self._knows(self._keys, path):
            return self.value(path)
        return self.place(self._find(self._keys, path))

    def value(self, path: Path) -> Place:
        """Return the place of the value at `path`, or of the nearest value that encloses it."""
        return self.place(self._find(self._values, path))

    def place(self, span: Span) -> Place:
        text = self._lines[span.line] if span.line < len(self._lines) else ""
        return Place(self.file, span.line + 1, span.column + 1, max(1, span.length), text)

    def text(self, path: Path) -> str:
        """Return the value at `path` as it is written on its first line, also behind an alias."""
        while (written_at := self._follow(path)) != path:
            path = written_at
        place = self.value(path)
        return place.text[place.column - 1 : place.column - 1 + place.length]

    def _follow(self, path: Path) -> Path:
        for length in range(len(path), 0, -1):
            if path[:length] in self._links:
                return self._links[path[:length]] + path[length:]
        return path

    def _knows(self, spans: dict[Path, Span], path: Path) -> bool:
        return path in spans or path in self._links

    def _find(self, spans: dict[Path, Span], path: Path) -> Span:
        for length in range(len(path), -1, -1):
            prefix = path[:length]
            whole = length == len(path)
            if prefix in self._links and not (whole and prefix in spans):
                return self._find(spans, self._links[prefix] + path[length:])
            if prefix in spans:
                return spans[prefix]
        return self._values[()]


class JoinedPlaces(Places):
    """The places of several files. The first two keys of a path name a step, whose own file counts; else `main`
    counts."""

    def __init__(self, main: Places, of_steps: Mapping[Path, Places]) -> None:
        super().__init__(main.file, ())
        self._main = main
        self._of_steps = of_steps

    def of(self, path: Path) -> Places:
        return self._of_steps.get(path[:2], self._main)

    def is_linked(self, path: Path, written_at: Path) -> bool:
        return self.of(path).is_linked(path, written_at)

    def key(self, path: Path) -> Place:
        return self.of(path).key(path)

    def value(self, path: Path) -> Place:
        return self.of(path).value(path)

    def text(self, path: Path) -> str:
        return self.of(path).text(path)
