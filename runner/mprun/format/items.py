"""Where the items of a pool and the cells of a fan-out come from, as it is written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from mprun.format.base import Written
from mprun.format.values import Count, Delimiter, NumberFrom0, ParameterName, RangeArguments, Text
from mprun.language.references import Reference
from mprun.sources.table import KEYS

_ONE_SOURCE: dict[str, Any] = {"oneOf": [{"required": [source]} for source in KEYS]}


class _OneSource(Written):
    @property
    def source(self) -> str:
        """The one source that was written. Raises StopIteration for none, which `load` never gives."""
        return next(source for source in KEYS if getattr(self, source, None))


class ItemsFrom(_OneSource):
    """Where items come from, if not from a list: exactly one source, and what is taken of it."""

    model_config = ConfigDict(json_schema_extra=_ONE_SOURCE)

    range: RangeArguments = Field(default=[], description="Whole numbers: what Python's range() takes, one to three.")
    glob: Text = Field(default="", description="The paths that match a pattern, sorted; ** goes through all folders.")
    lines: Text = Field(default="", description="The lines of a UTF-8 text file.")
    csv: Text = Field(default="", description="The rows of a CSV file with a header, as mappings.")
    jsonl: Text = Field(default="", description="The values of a JSON Lines file.")
    call: Text = Field(default="", description="What a generator function yields: module:function or file.py:function.")
    args: list[Any] = Field(default=[], description="Positional arguments of the generator function.")
    kwargs: dict[ParameterName, Any] = Field(default={}, description="Keyword arguments of the generator function.")
    delimiter: Delimiter = Field(default=",", description="What stands between the fields of a CSV file.")
    allow_empty: bool = Field(default=False, description="A glob may match nothing.")
    skip: NumberFrom0 = Field(default=0, description="How many items are left out at the beginning.")
    first: Count = Field(default=0, description="How many items are taken at most.")


class NumbersFrom(_OneSource):
    """The numbers of a range, as the values of an axis."""

    range: RangeArguments = Field(description="Whole numbers: what Python's range() takes, one to three.")


def _shape(value: Any) -> str | None:
    if isinstance(value, ItemsFrom | NumbersFrom | dict):
        return "a mapping"
    if isinstance(value, Reference):
        return "a reference"
    return "a list" if isinstance(value, list) else None


# Tagged unions: plain ones would try, and complain about, each shape. The items of a list are never walked.
_BY_SHAPE = Discriminator(_shape, custom_error_type="wrong_type", custom_error_message="")

Items = Annotated[
    Annotated[list[Any], Tag("a list")]
    | Annotated[ItemsFrom, Tag("a mapping")]
    | Annotated[Any, WithJsonSchema({"type": "string", "pattern": r"^\$\{results\.[^}]+\}$"}), Tag("a reference")],
    _BY_SHAPE,
]
Axis = Annotated[Annotated[list[Any], Tag("a list")] | Annotated[NumbersFrom, Tag("a mapping")], _BY_SHAPE]


class MatrixEntry(Written):
    """Every combination of the axes' values; what is not `include` or `exclude` is an axis."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Axis] = Field(init=False)

    include: list[dict[ParameterName, Any]] = Field(
        default=[], description="Combinations to add, or values to add to those that match."
    )
    exclude: list[dict[ParameterName, Any]] = Field(
        default=[], description="Combinations to leave out: by some or all axes, each with a value or a list of them."
    )

    @property
    def axes(self) -> dict[str, list[Any] | NumbersFrom]:
        return self.__pydantic_extra__


class ApplyCall(Written):
    """What `apply` calls the target with."""

    args: list[Any] = Field(default=[], description="Positional arguments of the target.")
    kwargs: dict[ParameterName, Any] = Field(default={}, description="Keyword arguments of the target.")
