"""What a generated script needs for the items of its steps: modules to import, and functions to define."""

from __future__ import annotations

from collections.abc import Iterable

from mprun.sources.table import CsvSource, GlobSource, JsonlSource, LinesSource, SliceSource, Source

LINES_OF = '''\
def lines_of(path):
    """The lines of a text file, without their ends."""
    with open(path, encoding="utf-8-sig") as file:
        for line in file:
            yield line.removesuffix("\\n")'''

JSONL_OF = '''\
def jsonl_of(path):
    """The values of a file with one JSON value a line."""
    with open(path, "rb") as file:
        for line in file:
            if not line.isspace():
                yield json.loads(line)'''

ROWS_OF = '''\
def rows_of(path, delimiter=","):
    """The rows of a CSV file, each a dict by the names in the first one."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = filter(None, csv.reader(file, delimiter=delimiter, strict=True))
        names = next(rows)
        for fields in rows:
            yield dict(zip(names, fields, strict=True))'''

HELPERS: dict[type[Source], str] = {LinesSource: LINES_OF, JsonlSource: JSONL_OF, CsvSource: ROWS_OF}
HELPER_NAMES = frozenset({"lines_of", "jsonl_of", "rows_of"})

_MODULES: dict[type[Source], str] = {
    GlobSource: "glob",
    JsonlSource: "json",
    CsvSource: "csv",
    SliceSource: "itertools",
}


def modules_for(sources: Iterable[Source]) -> list[str]:
    """The modules of the standard library that the items of `sources` take."""
    return [_MODULES[kind] for kind in _kinds(sources) if kind in _MODULES]


def helpers_for(sources: Iterable[Source]) -> list[str]:
    """The definitions of the functions that give the items of `sources`, each once."""
    return list(dict.fromkeys(HELPERS[kind] for kind in _kinds(sources) if kind in HELPERS))


def _kinds(sources: Iterable[Source]) -> list[type[Source]]:
    """Of each source, and of what it is a slice of."""
    return [type(part) for source in sources for part in (source, *_sliced(source))]


def _sliced(source: Source) -> list[Source]:
    return [source.source, *_sliced(source.source)] if isinstance(source, SliceSource) else []
