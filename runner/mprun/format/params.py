"""The parameters of a workflow, as they are declared."""

from __future__ import annotations

from typing import Any, Literal

from pydantic.json_schema import SkipJsonSchema

from mprun.format.base import Written
from mprun.format.keys import key
from mprun.format.values import SomeValues, Text

ParamType = Literal["int", "float", "bool", "str", "path", "date", "duration", "list", "enum"]

_A_VALUE = "a value of the parameter's type"


class ParamEntry(Written):
    """One parameter: its type and its bounds. Without a default, a run must give a value."""

    type: ParamType | SkipJsonSchema[None] = key(None, "The type; of the default unless given.", example="int")
    default: Any = key(None, "The value where none is given.", example="10", takes=_A_VALUE, also=("value", "initial"))
    required: bool | SkipJsonSchema[None] = key(
        None, "Whether a value must be given; null is what an optional one without default has.", example="false"
    )
    description: str = key("", "What the parameter is for.", example="how many pages", also=("help", "desc", "doc"))
    minimum: Any = key(
        None,
        "The least value: of a number, a date or a duration.",
        example="1",
        takes=_A_VALUE,
        also=("min", "ge", "least"),
    )
    maximum: Any = key(
        None,
        "The greatest value: of a number, a date or a duration.",
        example="100",
        takes=_A_VALUE,
        also=("max", "le", "most"),
    )
    pattern: Text = key(
        "",
        "A regular expression that the whole text matches.",
        example="'[a-z]+'",
        takes="a regular expression, as text",
        also=("regex", "regexp", "match"),
    )
    choices: SomeValues = key(
        [], "The values that it may have.", example="[fast, exact]", also=("enum", "options", "values", "allowed")
    )
    items: Literal["int", "float", "bool", "str"] | SkipJsonSchema[None] = key(
        None, "What a list holds; text unless its default says otherwise.", example="int"
    )
    secret: bool = key(
        False,
        "Never shown nor logged. It has no default.",
        example="true",
        also=("sensitive", "password", "masked"),
    )
