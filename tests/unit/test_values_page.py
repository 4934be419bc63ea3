"""The table of docs/values.md is true: each row is read as YAML, converted, and compared."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import typing
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mprun.loading.read.yaml_data import read_yaml
from mprun.worker.conversion.build import Converters
from mprun.worker.conversion.converter import Rules

PAGE = Path(__file__).parents[2] / "docs" / "values.md"


class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: float
    y: float


NAMES = {
    **vars(typing),
    **vars(datetime),
    **vars(decimal),
    **vars(uuid),
    **vars(pathlib),
    "Color": Color,
    "Point": Point,
}


def rows() -> list[tuple[str, str, str]]:
    """(annotation, what is written, what the function gets) of each row."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [line.replace("\\|", "¦").strip("| ").split(" | ") for line in lines]
    return [tuple(cell.split("`")[1].replace("¦", "|") for cell in row) for row in cells]  # type: ignore[misc]


@pytest.mark.parametrize(("annotation", "written", "gets"), rows())
def test_a_row_of_the_table(annotation: str, written: str, gets: str) -> None:
    value: Any = read_yaml(f"value: {written}", "table").data["value"]
    made = Converters(Rules()).of(eval(annotation, NAMES)).convert(value)
    assert made == eval(gets, NAMES)
    assert type(made) is type(eval(gets, NAMES))


def test_there_are_rows() -> None:
    assert len(rows()) > 20
