"""The parameters of a workflow, as they are declared."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from mprun.format.base import Written
from mprun.format.values import SomeValues, Text

ParamType = Literal["int", "float", "bool", "str", "path", "date", "duration", "list", "enum"]


class ParamEntry(Written):
    """One parameter: its type, and what bounds it. Without a default it must be given."""

    type: ParamType | SkipJsonSchema[None] = Field(default=None, description="The type; of the default unless given.")
    default: Any = Field(default=None, description="The value where none is given.")
    required: bool | SkipJsonSchema[None] = Field(
        default=None, description="Whether a value must be given; null is what an optional one without default has."
    )
    description: str = Field(default="", description="What the parameter is for.")
    minimum: Any = Field(default=None, description="The least value: of a number, a date or a duration.")
    maximum: Any = Field(default=None, description="The greatest value: of a number, a date or a duration.")
    pattern: Text = Field(default="", description="A regular expression that the whole text matches.")
    choices: SomeValues = Field(default=[], description="The values that it may have.")
    items: Literal["int", "float", "bool", "str"] | SkipJsonSchema[None] = Field(
        default=None, description="What a list holds; text unless its default says otherwise."
    )
    secret: bool = Field(default=False, description="Never shown nor logged. It has no default.")
