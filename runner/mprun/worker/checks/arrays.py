"""Checks a numpy array that children will share, as far as numpy can before the array exists."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from mprun.system.machine import memory_size
from mprun.worker.calls.exceptions import summary
from mprun.worker.checks.problems import Problem


def array_problems(written: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problems of an array declared by `written`, which has a `file`, or a `shape` and a `dtype`.

    Without numpy there are none: another check reports that.
    """
    try:
        import numpy
    except ImportError:
        return
    if "file" in written:
        yield from _file_problems(numpy, written["file"])
    else:
        yield from _made_problems(numpy, written["shape"], written["dtype"])


def _file_problems(numpy: Any, path: str) -> Iterator[Problem]:
    if not os.path.isfile(path):  # reported with the workflow's other mistakes
        return
    where, name = ("array", "file"), os.path.basename(path)
    try:
        with open(path, "rb") as file:
            is_npy = file.read(6) == b"\x93NUMPY"
        content = numpy.load(path, mmap_mode="r") if is_npy else None
    except Exception as error:  # noqa: BLE001 -- numpy raises many kinds of errors, depending on the file
        if _holds_objects(error):
            yield _objects(where)
        else:
            yield Problem("bad-file", f"`{name}` can't be read as an array: {summary(error)}", where)
        return
    if content is None:
        yield Problem("bad-file", f"`{name}` is not a .npy file", where, advice="write one with `numpy.save`")


def _holds_objects(error: Exception) -> bool:
    return isinstance(error, ValueError) and "object" in str(error).lower()


def _made_problems(numpy: Any, shape: list[int], written: str) -> Iterator[Problem]:
    where = ("array", "dtype")
    try:
        dtype = numpy.dtype(written)
    except Exception:  # noqa: BLE001 -- numpy reads a text in many ways, each with its own errors
        yield _no_type(numpy, written)
        return
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        yield _objects(where)
    elif size > memory_size():
        message = f"the array would take {size:,} bytes, more than the memory of this machine"
        yield Problem("too-large", message, ("array", "shape"))


def _no_type(numpy: Any, written: str) -> Problem:
    names = sorted({numpy.dtype(code).name for code in numpy.typecodes["AllInteger"] + numpy.typecodes["AllFloat"]})
    meant = difflib.get_close_matches(written, names, 1)
    advice = f"did you mean `{meant[0]}`?" if meant else ""
    notes = () if meant else ("there is `bool`, `uint8`, `int64`, `float32`, `float64`, `U10` and so on",)
    return Problem("bad-value", f"numpy has no type `{written}`", ("array", "dtype"), advice=advice, notes=notes)


def _objects(where: tuple[str, ...]) -> Problem:
    return Problem("bad-value", "an array of Python's objects can't lie in shared memory", where)
