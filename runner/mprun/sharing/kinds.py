"""The table of things that can be shared: multiprocessing's names, their arguments, and what each takes, in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Arguments = tuple[Any, ...]

TYPECODES = ["c", "b", "B", "u", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d"]
"""What `multiprocessing.Value` and `Array` call the types of C."""


MMAP_MODES = ["r", "c"]
"""What numpy calls the ways to use a file as memory that leave the file as it is: only read, or copied on write."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`takes` describes its arguments. `read` makes a tuple of them, and raises ValueError for others: with a sentence,
    where the description doesn't say what is wrong.

    `bare`: it needs no arguments. `between`: it makes sense only between two or more children.
    """

    takes: str
    read: Callable[[Any], Arguments]
    bare: bool = False
    between: bool = False


def _nothing(written: Any) -> Arguments:
    if written not in ([], {}):
        raise ValueError
    return ()


def _number(least: int) -> Callable[[Any], Arguments]:
    def read(written: Any) -> Arguments:
        if isinstance(written, bool) or not isinstance(written, int) or not least <= written <= 2**31 - 1:
            raise ValueError
        return (written,)

    return read


def _optional(read: Callable[[Any], Arguments]) -> Callable[[Any], Arguments]:
    return lambda written: () if written in ([], {}) else read(written)


def _duplex(written: Any) -> Arguments:
    if not isinstance(written, bool):
        raise ValueError
    return (written,)


def _value(written: Any) -> Arguments:
    code, *value = _typed(written)
    if len(value) > 1:
        raise ValueError
    _check_fit(code, value)
    return (code, *value)


def _array(written: Any) -> Arguments:
    code, *rest = _typed(written)
    content = rest[0] if len(rest) == 1 else None
    if isinstance(content, bool) or not isinstance(content, int | list) or (isinstance(content, int) and content < 0):
        raise ValueError
    if isinstance(content, list):
        _check_fit(code, content)
    return code, content


def _check_fit(code: str, values: list[Any]) -> None:
    for value in values:
        if not isinstance(value, int | float | str) or not _fits(code, value):
            raise ValueError(f"the type `{code}` can't hold `{str(value)[:40]}`")


def _fits(code: str, value: Any) -> bool:
    """Whether the C type holds `value`: ctypes would silently truncate an int, and make a float infinite."""
    from multiprocessing import sharedctypes  # not at the top: few workflows need ctypes

    types: Any = sharedctypes.typecode_to_type  # type: ignore[attr-defined]  # which typeshed leaves out
    try:
        held = types[code](in_c(code, value)).value
    except (TypeError, OverflowError):
        return False
    if isinstance(held, float):
        return math.isinf(held) == math.isinf(float(value))
    return not isinstance(held, int) or bool(held == value)


def in_c(code: str, value: Any) -> Any:
    """A YAML value as the C type takes it: characters are bytes."""
    return value.encode() if code == "c" and isinstance(value, str) else value


def _typed(written: Any) -> list[Any]:
    if not isinstance(written, list) or not written:
        raise ValueError
    if written[0] not in TYPECODES:
        raise ValueError(f"the types are {', '.join(TYPECODES)}, as for Python's `array` module; `c` is a character")
    return written


def _of(kind: type) -> Callable[[Any], Arguments]:
    def read(written: Any) -> Arguments:
        if not isinstance(written, kind):
            raise ValueError
        return (written,)

    return read


def _numpy(written: Any) -> Arguments:
    if not isinstance(written, dict):
        raise ValueError
    if _is_file(written):
        return (written,)
    if set(written) == {"shape", "dtype"} and isinstance(written["dtype"], str) and _is_shape(written["shape"]):
        return (written,)
    raise ValueError


def _is_file(written: dict[str, Any]) -> bool:
    if not isinstance(written.get("file"), str) or not written["file"] or set(written) - {"file", "mmap_mode"}:
        return False
    return written.get("mmap_mode", "r") in MMAP_MODES


def _is_shape(written: Any) -> bool:
    sizes = written if isinstance(written, list) else [written]
    return all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in sizes)


def _made(written: Any) -> Arguments:
    if not isinstance(written, dict) or not isinstance(written.get("call"), str) or not written["call"]:
        raise ValueError
    args, kwargs = written.get("args", []), written.get("kwargs", {})
    if set(written) - {"call", "args", "kwargs"} or not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ValueError
    return (written,)


_NOTHING = "no argument: write its name alone"
_SIZE = "how many objects it holds at most: a whole number from 1, or its name alone"

KINDS: dict[str, Kind] = {
    "Lock": Kind(_NOTHING, _nothing, bare=True),
    "RLock": Kind(_NOTHING, _nothing, bare=True),
    "Semaphore": Kind("a whole number from 0", _optional(_number(0)), bare=True),
    "BoundedSemaphore": Kind("a whole number from 0", _optional(_number(0)), bare=True),
    "Event": Kind(_NOTHING, _nothing, bare=True, between=True),
    "Condition": Kind(_NOTHING, _nothing, bare=True, between=True),
    "Barrier": Kind("how many it waits for: a whole number from 1", _number(1)),
    "Value": Kind("a list of a type's code and a value, such as `[i, 0]`", _value),
    "Array": Kind("a list of a type's code and a size or the values, such as `[d, 256]`", _array),
    "Queue": Kind(_SIZE, _optional(_number(1)), bare=True, between=True),
    "SimpleQueue": Kind(_NOTHING, _nothing, bare=True, between=True),
    "JoinableQueue": Kind(_SIZE, _optional(_number(1)), bare=True),
    "Pipe": Kind("`true` or `false` (duplex), or its name alone", _optional(_duplex), bare=True, between=True),
    "dict": Kind("a mapping, which may be empty: `{dict: {}}`", _of(dict)),
    "list": Kind("a list, which may be empty: `{list: []}`", _of(list)),
    "array": Kind("a mapping with `file` (and `mmap_mode`, `r` or `c`), or with `shape` and `dtype`", _numpy),
    "object": Kind("a mapping with `call`, and perhaps `args` and `kwargs`", _made),
}

QUEUES = ("Queue", "SimpleQueue", "JoinableQueue")
MANAGED = ("dict", "list")
PIPES = ("Pipe",)


def kind_of(written: Any) -> str | None:
    """The kind of a thing, written as its name, or as a mapping of its name to its arguments."""
    names = [written] if isinstance(written, str) else list(written) if isinstance(written, dict) else []
    kinds = [name for name in names if name in KINDS]
    return kinds[0] if len(kinds) == 1 else None


def arguments_of(written: Any) -> Arguments:
    """The arguments of a thing. Raises ValueError where they are wrong."""
    kind = kind_of(written)
    if kind is None:
        raise ValueError
    return () if isinstance(written, str) else KINDS[kind].read(written[kind])
