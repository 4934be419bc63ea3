"""The rows about the format: planning what is large, and reading items from files while workers wait for them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.case import MEGA, Case, Goal, own_peak, times_as_fast

_PLAN = """\
pools:
  cells:
    target: benchmarks.work:add
    matrix: {{a: {{range: {side}}}, b: {{range: {side}}}, exclude: [{{a: [0, 1], b: 0}}]}}
"""


def plan_matrix(side: int, size: int) -> float:
    """Seconds that `mprun plan` takes for a matrix of `side` × `side` cells."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "matrix.yaml")
        file.write_text(_PLAN.format(side=side))
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "mprun", "plan", "--no-import", str(file)], check=True, capture_output=True
        )
        return time.perf_counter() - began


def reading(kind: str, size: int) -> float:
    """Seconds for `size` tasks of 50 µs whose items come from a file of that kind, or from a `range`."""
    from benchmarks import ours
    from mprun.sources.table import CsvSource, JsonlSource, RangeSource

    with tempfile.TemporaryDirectory() as folder:
        file = _records(kind, Path(folder), size)
        source = {"csv": CsvSource, "jsonl": JsonlSource}.get(kind)
        items = source(file) if source else RangeSource(0, size, 1)
        began = time.perf_counter()
        with ours.ran(ours.pool("busy", items, 2, call="imap_unordered")):
            return time.perf_counter() - began


def jsonl_memory(factor: int, size: int) -> float:
    """MB that the parent has held at most while it read `factor` times `size` lines."""
    from benchmarks import ours
    from mprun.sources.table import JsonlSource

    with tempfile.TemporaryDirectory() as folder:
        source = JsonlSource(_records("jsonl", Path(folder), factor * size))
        with ours.ran(ours.pool("nothing_of", source, 2, call="imap_unordered"), log_tasks="failures"):
            return own_peak() / MEGA


def _records(kind: str, folder: Path, size: int) -> str:
    """A file of `size` records of about 60 bytes."""
    path = folder / f"records.{kind}"
    with path.open("w") as file:
        if kind == "csv":
            file.write("number,name,place\n")
            file.writelines(f"{number},name of number {number},somewhere else\n" for number in range(size))
        elif kind == "jsonl":
            for number in range(size):
                file.write(json.dumps({"number": number, "name": f"name of number {number}"}) + "\n")
    return str(path)


FORMAT_CASES = [
    Case(
        "plan-matrix",
        "`mprun plan` of a matrix of 1 M cells, beside one of 4",
        1,
        {"1 M cells": partial(plan_matrix, 1000), "4 cells": partial(plan_matrix, 2)},
        Goal("≤ 1 s more", 1, False, lambda figures: figures["1 M cells"] - figures["4 cells"], " s more"),
    ),
    *(
        Case(
            f"{kind}-busy",
            f"20,000 tasks of 50 µs over rows of {kind}, beside a range",
            20_000,
            {"mprun": partial(reading, kind), "range": partial(reading, "range")},
            times_as_fast(0.9, ["range"], "the same tasks over a range"),
        )
        for kind in ("csv", "jsonl")
    ),
    Case(
        "memory-jsonl",
        "parent's peak memory, imap_unordered over 1 M and over 10 M lines of jsonl",
        1_000_000,
        {"10 M": partial(jsonl_memory, 10), "1 M": partial(jsonl_memory, 1)},
        Goal("the same within 16 MB", 16, False, lambda figures: figures["10 M"] - figures["1 M"], " MB apart"),
        unit="MB",
        digits=1,
    ),
]
