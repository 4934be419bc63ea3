"""The items of a pool and the cells of a fan-out as they are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from mprun.format.base import Written
from mprun.format.keys import Takes, key
from mprun.format.values import CallText, Count, Delimiter, Kwargs, NumberFrom0, ParameterName, RangeArguments, Text
from mprun.language.references import Reference
from mprun.sources.table import KEYS

ALSO_ARGS = ("arguments", "params", "parameters", "positional")
ALSO_KWARGS = ("kwds", "keywords", "kw", "kwarg")

_ONE_SOURCE: dict[str, Any] = {"oneOf": [{"required": [source]} for source in KEYS]}


class _OneSource(Written):
    @property
    def source(self) -> str:
        """The key of the one source that was written.

        Raises StopIteration if there is none, which `load` has ruled out.
        """
        return next(source for source in KEYS if getattr(self, source, None))


class ItemsFrom(_OneSource):
    """Where items come from, if not from a list: exactly one source, and which of its items to take."""

    model_config = ConfigDict(json_schema_extra=_ONE_SOURCE)

    range: RangeArguments = key(
        [], "Whole numbers: what Python's range() takes, one to three.", example="[1, 10]", also=("count",)
    )
    glob: Text = key(
        "",
        "The paths that match a pattern, sorted; ** goes through all folders.",
        example="photos/*.jpg",
        takes="a pattern of paths, as text",
        also=("files", "pattern", "paths", "path"),
    )
    lines: Text = key(
        "",
        "The lines of a UTF-8 text file.",
        example="urls.txt",
        takes="the path of a text file, as text",
        also=("file", "text", "line"),
    )
    csv: Text = key(
        "",
        "The rows of a CSV file with a header, as mappings.",
        example="rows.csv",
        takes="the path of a CSV file, as text",
    )
    jsonl: Text = key(
        "",
        "The values of a JSON Lines file.",
        example="rows.jsonl",
        takes="the path of a JSON Lines file, as text",
        also=("json", "ndjson", "jsonlines"),
    )
    call: CallText = key(
        "",
        "What a generator function yields: module:function or file.py:function.",
        example="jobs:pages",
        also=("generator", "function", "target"),
    )
    args: list[Any] = key([], "Positional arguments of the generator function.", example="[2026, fast]")
    kwargs: Kwargs = key({}, "Keyword arguments of the generator function.", example="{year: 2026}")
    delimiter: Delimiter = key(
        ",", "What stands between the fields of a CSV file.", example=";", also=("sep", "separator")
    )
    allow_empty: bool = key(False, "A glob may match nothing.", example="true")
    skip: NumberFrom0 = key(
        0, "How many items are left out at the beginning.", example="1", also=("offset", "start", "drop")
    )
    first: Count = key(0, "How many items are taken at most.", example="100", also=("limit", "head", "take"))


class NumbersFrom(_OneSource):
    """The numbers of a range, as the values of an axis."""

    range: RangeArguments = key(
        ..., "Whole numbers: what Python's range() takes, one to three.", example="[0, 100, 10]"
    )


def _shape(value: Any) -> str | None:
    if isinstance(value, ItemsFrom | NumbersFrom | dict):
        return "a mapping"
    if isinstance(value, Reference):
        return "a reference"
    return "a list" if isinstance(value, list) else None


ITEMS = f"a list, or a mapping with one of {', '.join(f'`{source}`' for source in KEYS)}"
AXES = "a mapping of names to lists"
AXIS = "a list of values, or a mapping with `range`"

# Tagged unions: a plain union would try each shape and report the mistakes of all. The items of a list are not walked.
_BY_SHAPE = Discriminator(_shape, custom_error_type="wrong_type", custom_error_message="")

Items = Annotated[
    Annotated[list[Any], Tag("a list")]
    | Annotated[ItemsFrom, Tag("a mapping")]
    | Annotated[Any, WithJsonSchema({"type": "string", "pattern": r"^\$\{results\.[^}]+\}$"}), Tag("a reference")],
    _BY_SHAPE,
    Takes(ITEMS),
]
Axis = Annotated[Annotated[list[Any], Tag("a list")] | Annotated[NumbersFrom, Tag("a mapping")], _BY_SHAPE]


Axes = Annotated[dict[ParameterName, Axis], Takes(AXES)]
Cells = Annotated[list[dict[ParameterName, Any]], Takes("a list of mappings of axes to values")]


class MatrixEntry(Written):
    """Every combination of the axes' values. Each key other than `include` and `exclude` is an axis."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Axis] = Field(init=False)

    include: Cells = key(
        [], "Combinations to add, or values to add to those that match.", example="[{size: 512, format: png}]"
    )
    exclude: Cells = key(
        [],
        "Combinations to leave out: by some or all axes, each with a value or a list of them.",
        example="[{size: 128, format: [png, gif]}]",
    )

    @property
    def axes(self) -> dict[str, list[Any] | NumbersFrom]:
        return self.__pydantic_extra__


class ApplyCall(Written):
    """The arguments with which `apply` calls the target."""

    args: list[Any] = key([], "Positional arguments of the target.", example="[2026, fast]", also=ALSO_ARGS)
    kwargs: Kwargs = key({}, "Keyword arguments of the target.", example="{year: 2026}", also=ALSO_KWARGS)


Matrix = Annotated[MatrixEntry, Takes(AXES)]
Apply = Annotated[ApplyCall, Takes("a mapping with `args`, `kwargs` or both")]
