"""Targets that say what they take, of the workflows beside this file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, Field


class Color(Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Point:
    x: float
    y: float


@dataclass
class Line:
    start: Point
    end: Point
    color: Color = Color.RED


class Options(TypedDict, total=False):
    depth: int
    name: str


class Server(BaseModel):
    host: str
    port: int = Field(gt=0)


class Parser:
    def __init__(self, depth: int) -> None:
        self.depth = depth


def fetch(url: str, timeout: int = 3, *, retries: int | None = None) -> str:
    return url


def square(number: int) -> int:
    return number * number


def scale(number: float, factor: float) -> float:
    return number * factor


def say(text: str) -> None:
    print(text)


def on_day(day: date) -> None:
    print(day)


def read(path: Path | str) -> str:
    return str(path)


def day_or_name(day: date | str) -> str:
    return str(day)


def draw(line: Line) -> None:
    print(line)


def paint(color: Color) -> None:
    print(color)


def run(speed: Literal["fast", "slow"]) -> None:
    print(speed)


def add_up(*numbers: float, **named: int) -> float:
    return sum(numbers) + sum(named.values())


def table(rows: list[dict[str, int]]) -> int:
    return len(rows)


def configure(options: Options) -> None:
    print(options)


def serve(server: Server) -> None:
    print(server)


def few(number: Annotated[int, Field(lt=3)]) -> int:
    return number


def parse(parser: Parser) -> None:
    print(parser)


def call(function: Callable[[], int]) -> int:
    return function()


def switch(on: bool) -> bool:
    return on


def gathered() -> str:
    return ""


def nested(number: int) -> list[list[list[int]]]:
    return [[[number]]]


def pairs(number: int) -> list[tuple[int, int]]:
    return [(number, number)]
