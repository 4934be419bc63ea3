"""Sources of records, one per line or row. The parent cuts the file into records; the workers decode them.

An item is (line, piece): the number of its first line, and the line's bytes (`jsonl`) or the row's fields (`csv`). A
worker finds what is wrong with one record. Only a file that can't be read, or a header that can't be used, fails the
source as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from mprun.errors.exceptions import ItemError
from mprun.sources.decoding import CsvRows, Decoding, JsonLines, not_utf8
from mprun.sources.expression import CallOf, Expression, PathOf
from mprun.sources.files import below, regular
from mprun.sources.source import Redirection, Site, Source, SourceTraits


@dataclass(frozen=True, slots=True)
class JsonlSource(Source):
    """The JSON values of the UTF-8 file at the absolute `path`, one per line. Blank lines are skipped.

    Python's json module decodes them, which accepts NaN, and takes the last value of a repeated key. Places are
    relative to `cwd`.
    """

    path: str
    cwd: str = ""
    kind: str = "jsonl"

    TRAITS = SourceTraits(found_in="file")

    @classmethod
    def built(cls, written: str, site: Site) -> Self:
        return cls(site.absolute(written), site.cwd)

    def items(self) -> Iterator[tuple[int, bytes]]:
        with open(regular(self.path), "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.isspace():
                    yield number, line

    def decoding(self) -> Decoding | None:
        return JsonLines(below(self.path, self.cwd))

    def redirected(self, redirection: Redirection) -> Self:
        return replace(self, path=redirection.file(self.path))

    def expression(self) -> Expression:
        return CallOf("jsonl_of", (PathOf(self.path),))


@dataclass(frozen=True, slots=True)
class CsvSource(Source):
    """The rows of the UTF-8 file at the absolute `path`, as dicts of text by the names in its first row.

    The csv module reads the file strictly in the dialect `excel`. Empty lines are skipped. A field has at most
    `csv.field_size_limit()` characters. Places are relative to `cwd`.
    """

    path: str
    cwd: str = ""
    delimiter: str = ","
    kind: str = "csv"

    TRAITS = SourceTraits(found_in="file", items_are="mappings", all_text=True, modifiers=("delimiter",))

    @classmethod
    def built(cls, written: str, site: Site, delimiter: str = ",") -> Self:
        return cls(site.absolute(written), site.cwd, delimiter)

    def items(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield (line, fields). The message of the reader takes the place of fields that can't be read."""
        rows = self._rows()
        self._names(rows)
        return rows

    def decoding(self) -> Decoding | None:
        """Read the header. Raises ItemError if it doesn't name each column, and OSError."""
        return CsvRows(self._file, self._names(self._rows()))

    def redirected(self, redirection: Redirection) -> Self:
        return replace(self, path=redirection.file(self.path))

    def expression(self) -> Expression:
        return CallOf("rows_of", (PathOf(self.path),), {"delimiter": self.delimiter} if self.delimiter != "," else {})

    @property
    def _file(self) -> str:
        return below(self.path, self.cwd)

    def _rows(self) -> Iterator[tuple[int, list[str] | str]]:
        import csv

        # Bytes that are not UTF-8 become lone surrogates here. So they fail only the row that has them.
        with open(regular(self.path), encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            fields: list[str] | str | None = []
            while fields is not None:
                line = reader.line_num + 1
                try:
                    fields = next(reader, None)
                except csv.Error as error:  # the reader continues with the next line
                    fields = str(error)
                if fields:
                    yield line, fields

    def _names(self, rows: Iterator[tuple[int, list[str] | str]]) -> tuple[str, ...]:
        line, names = next(rows, (1, "the file is empty, and its first row has to name the columns"))
        wrong = names if isinstance(names, str) else _wrong_header(names)
        if wrong:
            raise ItemError(f"{self._file}:{line}", wrong)
        return tuple(names)


def _wrong_header(names: list[str]) -> str:
    for number, name in enumerate(names, 1):
        if not name.strip():
            return f"column {number} has no name"
        if names.index(name) < number - 1:
            return f"columns {names.index(name) + 1} and {number} are both named {name!r}"
    return not_utf8(names)
