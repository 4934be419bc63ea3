"""What is written as csv is read again as it was, by the source of rows and by Python's own reader."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from mprun.sources.records import CsvSource
from mprun.worker.calls.csv_text import csv_line

CHARACTERS = ["a", "", " ", ",", '"', "\r", "\n", "\r\n", "\t", "\ufeff", "\u2028", "\0", "'", ";", "é", "\x85"]


def texts(chance: random.Random) -> str:
    return "".join(chance.choices(CHARACTERS, k=chance.randrange(4)))


@pytest.mark.parametrize("columns", [1, 3])
def test_rows_are_read_as_they_were_written(columns: int, tmp_path: Path) -> None:
    chance = random.Random(13)
    head = [f"{name}\ufeff" for name in "\ufeffbc"[:columns]]
    rows = [[texts(chance) for _ in range(columns)] for _ in range(500)]
    path = tmp_path / "rows.csv"
    path.write_bytes("".join(map(csv_line, [head, *rows])).encode())
    source = CsvSource(str(path))
    decoding = source.decoding()
    assert decoding is not None
    assert [decoding.value(item) for item in source.items()] == [dict(zip(head, row, strict=True)) for row in rows]
    with open(path, newline="", encoding="utf-8") as file:
        assert list(csv.reader(file, strict=True)) == [head, *rows]


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["a", "1.5", "", "it's"], "a,1.5,,it's\n"),
        (["a,b", 'a "b"'], '"a,b","a ""b"""\n'),
        (["a\rb", "a\nb"], '"a\rb","a\nb"\n'),
        ([""], '""\n'),
        (["", ""], ",\n"),
        (["a,b", "", "c"], '"a,b",,c\n'),
    ],
)
def test_only_what_needs_quotes_has_them(cells: list[str], line: str) -> None:
    assert csv_line(cells) == line
