"""Readers of values that can be written in several ways: durations, sizes, memory, ranges, names.

Each reader takes a value of YAML and returns it in one shape, or raises a PydanticCustomError: `wrong_type`, or
`bad_value` with a hint (possibly empty) as its message.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from mprun.format.keys import Takes
from mprun.language.durations import DURATION_PATTERN, seconds_in
from mprun.language.references import Reference, Template
from mprun.plan.plan import CONDITIONS, If

MAX_DURATION = 7 * 24 * 3600.0  # seconds; far less than the longest wait of the system's calls
RETRIED_OUTCOMES = ("raised", "lost", "timed_out")  # the outcomes after which a call can be retried
MIN_MEMORY = 1 << 20  # bytes; no process is smaller, so whoever writes less has forgotten the unit
MAX_MEMORY = 1 << 50

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"
_TIME_PATTERN = DURATION_PATTERN.replace("^", "^(?=.*[1-9])")  # rejects 0
_MEMORY_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,9})?[KMGT](i?B)?$"
_CPUS_PATTERN = r"^cpus( *- *[0-9]{1,6})?$"
_BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def wrong_type(hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("wrong_type", "{hint}", {"hint": hint})


def bad_value(hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("bad_value", "{hint}", {"hint": hint})


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_duration(value: Any) -> float:
    """Return seconds, from a number of seconds or from text such as `1m30s`."""
    if isinstance(value, str):
        try:
            seconds = seconds_in(value)
        except ValueError:
            raise bad_value() from None
    elif is_whole(value) or isinstance(value, float):
        seconds = value
    else:
        raise wrong_type()
    if not 0 <= seconds <= MAX_DURATION or math.isnan(seconds):
        raise bad_value("from 0 to 168h (7 days)")
    return float(seconds)


def read_time(value: Any) -> float:
    """Return a duration above 0 in seconds. A limit of 0 would be exceeded before the start."""
    seconds = read_duration(value)
    if seconds == 0:
        raise bad_value("leave the key out for no limit")
    return seconds


def read_memory(value: Any) -> int:
    """Return bytes, from a number of bytes or from text such as `512M`. K, M, G and T are powers of 1024."""
    if isinstance(value, str):
        if not re.fullmatch(_MEMORY_PATTERN, value):
            raise bad_value(_memory_hint(value))
        size = int(float(re.split("[KMGT]", value)[0]) * _BYTES[value.rstrip("iB")[-1]])
    elif is_whole(value):
        size = value
    else:
        raise wrong_type()
    if not MIN_MEMORY <= size <= MAX_MEMORY:
        raise bad_value("from 1M to 1024T; a bare number is bytes")
    return size


def _memory_hint(text: str) -> str:
    """Return what to write for text that is nearly right, such as `512m`, `512 MB` or `512mib`."""
    squeezed = text.replace(" ", "").upper().replace("IB", "iB")
    return f"write `{squeezed}`" if re.fullmatch(_MEMORY_PATTERN, squeezed) else ""


def read_retries(value: Any) -> Any:
    """Return the short form of `retries`, a number, as the long form. The model judges the rest."""
    if is_whole(value):
        return {"count": value}
    if not isinstance(value, dict):
        raise wrong_type()
    return value


def read_include(value: Any) -> Any:
    """Return one file, by path or as a mapping, or a list of these, as a list of mappings."""
    if not isinstance(value, str | dict | list):
        raise wrong_type()
    written = value if isinstance(value, list) else [value]
    return [{"file": each} if isinstance(each, str) else each for each in written]


def read_param(value: Any) -> Any:
    """Return the short form of a parameter, its default, as the long form."""
    return value if isinstance(value, dict) else {"default": value}


def read_needs(value: Any) -> dict[str, Any]:
    """Return how each needed step must have ended, by name. Names alone mean `succeeded`."""
    if isinstance(value, dict):
        return {read_text(name): condition for name, condition in value.items()}
    names = read_one_or_list(value)
    if not all(isinstance(name, str) for name in names):
        raise wrong_type("a name is text: put it in quotes")
    return dict.fromkeys(map(read_text, names), "succeeded")


def read_text(value: Any) -> str:
    """Return a text that isn't empty."""
    if not isinstance(value, str):
        raise wrong_type()
    if not value:
        raise bad_value()
    return value


def read_text_to_come(value: Any) -> str | Reference | Template:
    """Return a text, or a text with references that only the run can resolve."""
    return value if isinstance(value, Reference | Template) else read_text(value)


def read_condition(value: Any) -> If | str:
    """Return a condition as the loader parsed it. A text is one that the loader could not parse and has reported."""
    if isinstance(value, If):
        return value
    return read_text(value)


def read_command(value: Any) -> list[Any]:
    """Return a program and its arguments."""
    if not isinstance(value, list):
        raise wrong_type()
    if not value:
        raise bad_value("name a program")
    return value


def read_inputs(value: Any) -> list[str | Reference | Template]:
    """The paths or patterns of files."""
    return [read_text_to_come(each) for each in (value if isinstance(value, list) else [value])]


def read_outputs(value: Any) -> list[tuple[str | Reference | Template, bool]]:
    """The paths of files, each with whether it may be as before the call."""
    return [_read_output(each) for each in (value if isinstance(value, list) else [value])]


def _read_output(value: Any) -> tuple[str | Reference | Template, bool]:
    if not isinstance(value, dict):
        return read_text_to_come(value), False
    if set(value) - {"file", "unchanged"} or "file" not in value or value.get("unchanged", "ok") != "ok":
        raise bad_value("a file with a condition is written as `{file: PATH, unchanged: ok}`")
    return read_text_to_come(value["file"]), "unchanged" in value


def read_some_values(value: Any) -> list[Any]:
    """Return a list of at least one value."""
    if not isinstance(value, list):
        raise wrong_type()
    if not value:
        raise bad_value("name one, or leave the key out")
    return value


def read_delimiter(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type()
    if len(value) != 1 or value in '\r\n"':
        raise bad_value('one character, such as `,`, `;` or "\\t"')
    return value


def read_pool_size(value: Any) -> int | str:
    """Return the number of workers as written: a number from 1, `cpus`, or `cpus - N`."""
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
    """Return the arguments of Python's `range`, from one number or from a list of one to three."""
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


def read_env_value(value: Any) -> str | Reference | Template:
    """Return the value of a variable as text. A number is written as Python writes it."""
    if isinstance(value, Reference | Template):
        return value
    if isinstance(value, bool):
        raise wrong_type(f'write "{str(value).lower()}" or 1 or 0')
    if not isinstance(value, str | int | float):
        raise wrong_type()
    if "\0" in str(value):
        raise bad_value("a variable can't hold the character U+0000")
    return str(value)


def read_one_or_list(value: Any) -> list[Any]:
    """Return a text, or a list of texts, as a list."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise wrong_type()
    return value


def read_one_or_more(value: Any) -> list[Any]:
    """Return a text, or a list of at least one text, as a list."""
    texts = read_one_or_list(value)
    if not texts:
        raise bad_value("name one, or leave the key out")
    return texts


def read_parameter_name(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type()
    if not value.isidentifier():
        raise bad_value("letters, digits and `_`, as in a Python function")
    return value


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_TEXTS = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_SOME_TEXTS = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_WHOLE = {"type": "integer"}

_OUTPUT: dict[str, Any] = {
    "oneOf": [
        _TEXT,
        {
            "type": "object",
            "properties": {"file": _TEXT, "unchanged": {"const": "ok"}},
            "required": ["file"],
            "additionalProperties": False,
        },
    ]
}
_OUTPUTS = {"oneOf": [*_OUTPUT["oneOf"], {"type": "array", "items": _OUTPUT}]}
_VALUE: dict[str, Any] = {"type": ["string", "number"]}
_NEEDS: dict[str, Any] = {
    "oneOf": [
        _TEXT,
        {"type": "array", "items": _TEXT},
        {"type": "object", "additionalProperties": {"enum": list(CONDITIONS)}},
    ]
}

# What other tools call the keys that both a workflow and its steps have.
ALSO_ENV = ("environment", "env_vars", "environ", "envs")
ALSO_WORKING_DIR = ("cwd", "workdir", "chdir", "working_directory", "working-directory", "dir")

TARGET = "text such as `module:function`"

Text = Annotated[str, StringConstraints(min_length=1), Takes("text")]
TargetText = Annotated[str, Takes(TARGET)]
CallText = Annotated[str, StringConstraints(min_length=1), Takes(TARGET)]
FolderPath = Annotated[str, StringConstraints(min_length=1), Takes("the path of a folder, as text")]
StepName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
ParamName = StepName
EnvName = Annotated[str, StringConstraints(pattern=r"^[^=\x00]+$")]
ParameterName = Annotated[str, PlainValidator(read_parameter_name), WithJsonSchema({"type": "string"})]
Kwargs = Annotated[dict[ParameterName, Any], Takes("a mapping of parameter names to values")]
Texts = Annotated[list[Text], BeforeValidator(read_one_or_list), WithJsonSchema(_TEXTS)]
SomeTexts = Annotated[list[Text], BeforeValidator(read_one_or_more), WithJsonSchema(_SOME_TEXTS)]
Needs = Annotated[
    dict[str, str],
    PlainValidator(read_needs),
    WithJsonSchema(_NEEDS),
    Takes("a step's name, a list of them, or a mapping of them to `succeeded`, `finished` or `failed`"),
]
InputFiles = Annotated[list[Any], PlainValidator(read_inputs), WithJsonSchema(_TEXTS)]
OutputFiles = Annotated[list[Any], PlainValidator(read_outputs), WithJsonSchema(_OUTPUTS)]
TextToCome = Annotated[Any, PlainValidator(read_text_to_come), WithJsonSchema(_TEXT)]
Command = Annotated[
    list[Any],
    PlainValidator(read_command),
    WithJsonSchema({"type": "array", "items": _VALUE, "minItems": 1}),
    Takes("a list: a program and its arguments"),
]
WrittenIf = Annotated[
    Any,
    PlainValidator(read_condition),
    WithJsonSchema({"oneOf": [{"type": "string", "minLength": 1}, {"type": "boolean"}]}),
    Takes("a condition as text, such as `${params.n} > 3`"),
]
SomeValues = Annotated[
    list[Any],
    PlainValidator(read_some_values),
    WithJsonSchema({"type": "array", "minItems": 1}),
    Takes("a list of values"),
]
Delimiter = Annotated[
    str,
    PlainValidator(read_delimiter),
    WithJsonSchema({"type": "string", "pattern": '^[^\\r\\n"]$'}),
    Takes("one character"),
]
NumberFrom0 = Annotated[int, Field(ge=0), Takes("a whole number from 0")]
Count = Annotated[int, Field(ge=1), Takes("a whole number from 1")]
EnvValue = Annotated[Any, PlainValidator(read_env_value), WithJsonSchema({"type": ["string", "number"]})]
Env = Annotated[dict[EnvName, EnvValue], Takes("a mapping of variable names to text or numbers")]
Duration = Annotated[
    float,
    PlainValidator(read_duration),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_DURATION},
                {"type": "string", "pattern": DURATION_PATTERN},
            ]
        }
    ),
    Takes("a number of seconds, or text such as `30s`, `1m30s`, `500ms`"),
]
Time = Annotated[
    float,
    PlainValidator(read_time),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_DURATION},
                {"type": "string", "pattern": _TIME_PATTERN},
            ]
        }
    ),
    Takes("a number of seconds above 0, or text such as `30s`, `1m30s`, `500ms`"),
]
Memory = Annotated[
    int,
    PlainValidator(read_memory),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "integer", "minimum": MIN_MEMORY, "maximum": MAX_MEMORY},
                {"type": "string", "pattern": _MEMORY_PATTERN},
            ]
        }
    ),
    Takes("a whole number of bytes, or text such as `512M`, `2G`, `100MiB`"),
]
PoolSize = Annotated[
    int | str,
    PlainValidator(read_pool_size),
    WithJsonSchema({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": _CPUS_PATTERN}]}),
    Takes("a whole number from 1, `cpus`, or `cpus - N`"),
]
RangeArguments = Annotated[
    list[int],
    PlainValidator(read_range),
    WithJsonSchema({"oneOf": [_WHOLE, {"type": "array", "items": _WHOLE, "minItems": 1, "maxItems": 3}]}),
    Takes("a whole number, or a list of one to three of them"),
]
