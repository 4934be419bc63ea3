"""Readers of single values that are written in more than one way: durations, sizes, ranges, names.

Each takes what YAML gave and returns one shape, or raises a PydanticCustomError: of the type `wrong_type`, or of
`bad_value` with a hint as its message (which may be empty).
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_DURATION = 7 * 24 * 3600.0  # seconds; far below what the system's calls can wait

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"
_DURATION_PATTERN = r"^(?=\d)(\d+(\.\d+)?h)?(\d+(\.\d+)?m(?!s))?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?$"
_CPUS_PATTERN = r"^cpus( *- *[0-9]{1,6})?$"
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def wrong_type() -> PydanticCustomError:
    return PydanticCustomError("wrong_type", "")


def bad_value(hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("bad_value", "{hint}", {"hint": hint})


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_duration(value: Any) -> float:
    """Seconds, from a number of them or from text such as `1m30s`."""
    if isinstance(value, str):
        if not re.fullmatch(_DURATION_PATTERN, value, re.ASCII):
            raise bad_value()
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(value))
    elif is_whole(value) or isinstance(value, float):
        seconds = value
    else:
        raise wrong_type()
    if not 0 <= seconds <= MAX_DURATION or math.isnan(seconds):
        raise bad_value("from 0 to 168h (7 days)")
    return float(seconds)


def read_pool_size(value: Any) -> int | str:
    """How many workers: a number from 1, `cpus`, or `cpus - N`; kept as written."""
    if isinstance(value, str) and re.fullmatch(_CPUS_PATTERN, value):
        return value
    if isinstance(value, str):
        raise bad_value()
    if not is_whole(value):
        raise wrong_type()
    if value < 1:
        raise bad_value()
    return value  # type: ignore[no-any-return]


def read_range(value: Any) -> list[int]:
    """The arguments of Python's `range`: one number, or a list of one to three."""
    numbers = value if isinstance(value, list) else [value]
    if not all(map(is_whole, numbers)):
        raise wrong_type()
    if not 1 <= len(numbers) <= 3:
        raise bad_value()
    if len(numbers) == 3 and numbers[2] == 0:
        raise bad_value("the step can't be 0")
    try:
        len(range(*numbers))
    except OverflowError:
        raise bad_value("that is more items than can be counted") from None
    return numbers


def read_env_value(value: Any) -> str:
    """A variable's value as text; a number is written out as Python writes it."""
    if isinstance(value, bool):
        raise PydanticCustomError("wrong_type", "{hint}", {"hint": f'write "{str(value).lower()}" or 1 or 0'})
    if not isinstance(value, str | int | float):
        raise wrong_type()
    if "\0" in str(value):
        raise bad_value("a variable can't hold the character U+0000")
    return str(value)


def read_one_or_list(value: Any) -> list[Any]:
    """A text, or a list of texts, as a list."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise wrong_type()
    return value


def read_parameter_name(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type()
    if not value.isidentifier():
        raise bad_value("letters, digits and `_`, as in a Python function")
    return value


_TEXTS = {"oneOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
_WHOLE = {"type": "integer"}

Text = Annotated[str, StringConstraints(min_length=1)]
StepName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
EnvName = Annotated[str, StringConstraints(pattern=r"^[^=\x00]+$")]
ParameterName = Annotated[str, PlainValidator(read_parameter_name), WithJsonSchema({"type": "string"})]
Texts = Annotated[list[Text], BeforeValidator(read_one_or_list), WithJsonSchema(_TEXTS)]
Count = Annotated[int, Field(ge=1)]
EnvValue = Annotated[str, PlainValidator(read_env_value), WithJsonSchema({"type": ["string", "number"]})]
Duration = Annotated[
    float,
    PlainValidator(read_duration),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_DURATION},
                {"type": "string", "pattern": _DURATION_PATTERN},
            ]
        }
    ),
]
PoolSize = Annotated[
    int | str,
    PlainValidator(read_pool_size),
    WithJsonSchema({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": _CPUS_PATTERN}]}),
]
RangeArguments = Annotated[
    list[int],
    PlainValidator(read_range),
    WithJsonSchema({"oneOf": [_WHOLE, {"type": "array", "items": _WHOLE, "minItems": 1, "maxItems": 3}]}),
]
