"""What numpy tells, before the start, of an array that children are to share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from mprun.worker.checks.arrays import array_problems

FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "right": (lambda path: numpy.save(path, numpy.zeros((2, 3))), ""),
    "objects": (lambda path: numpy.save(path, numpy.array([{}]), allow_pickle=True), "Python's objects can't lie"),
    "cut in its head": (
        lambda path: path.write_bytes(b"\x93NUMPY\x01\0v\0"),
        "can't be read as an array",
    ),
    "cut in its numbers": (
        lambda path: (numpy.save(path, numpy.zeros(9)), path.write_bytes(path.read_bytes()[:-8])),
        "can't be read as an array",
    ),
    "an archive": (lambda path: path.write_bytes(b"PK\x03\x04"), "`a.npy` is not a .npy file"),
    "empty": (lambda path: path.touch(), "`a.npy` is not a .npy file"),
    "a pickle": (lambda path: path.write_bytes(b"cos\nsystem\n(S'exit 1'\ntR."), "`a.npy` is not a .npy file"),
    "not there": (lambda path: None, ""),  # which is told elsewhere
}


@pytest.mark.parametrize("what", FILES)
def test_a_file(what: str, tmp_path: Path) -> None:
    make, told = FILES[what]
    make(tmp_path / "a.npy")
    problems = [problem.message for problem in array_problems({"file": str(tmp_path / "a.npy")})]
    assert len(problems) == bool(told)
    assert all(told in problem for problem in problems)


@pytest.mark.parametrize("dtype", ["f8", "float64", "U5", "datetime64[ns]", "i4,f8", ">i2", "bool"])
def test_a_type_that_numpy_has(dtype: str) -> None:
    assert list(array_problems({"shape": [2, 0], "dtype": dtype})) == []
