"""The annotations of callables of every kind, as objects; one that can't be resolved is as if it weren't there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import same_each_time

from mprun.worker.conversion.annotations import resolved_signature

if TYPE_CHECKING:
    from nowhere import NotThere

NONE = Parameter.empty


def plain(path: Path, other, *rest: int, last: Path | None = None, **others: float) -> list[Path]:  # type: ignore[no-untyped-def]
    return []


def unresolvable(path: Path, other: NotThere, third: list[NotThere]) -> NotThere:
    raise NotImplementedError


def odd(a: "not an expression", b: 5, c: None, d: Path.nothing) -> 1 / 0:  # type: ignore  # noqa: F722
    """Annotations that are no types at all."""


def decorated_with_wraps(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


decorated = decorated_with_wraps(decorated_with_wraps(plain))
cached = functools.lru_cache(plain)
partial = functools.partial(plain, other=1)


class Parser:
    def __init__(self, path: Path) -> None:
        self.path = path

    def method(self, path: Path) -> None:
        """Bound or not."""

    @classmethod
    def by_class(cls, path: Path) -> None:
        """Bound to the class."""

    @staticmethod
    def static(path: Path) -> None:
        """Bound to nothing."""

    def __call__(self, path: Path) -> None:
        """Of the instance."""


class Made:
    def __new__(cls, path: Path) -> Made:
        return super().__new__(cls)


class Heir(Parser):
    pass


@dataclass
class Record:
    path: Path


PATH = {"path": Path}
PLAIN = {"path": Path, "other": NONE, "rest": int, "last": Path | None, "others": float}

CALLABLES: dict[str, tuple[Any, dict[str, Any]]] = {
    "function": (plain, PLAIN),
    "decorated": (decorated, PLAIN),
    "cached": (cached, PLAIN),
    "partial": (partial, {name: annotation for name, annotation in PLAIN.items() if name != "rest"}),
    "partial of a method": (functools.partial(Parser(Path()).method), PATH),
    "unresolvable": (unresolvable, {"path": Path, "other": NONE, "third": NONE}),
    "odd": (odd, {"a": NONE, "b": 5, "c": type(None), "d": NONE}),
    "class": (Parser, PATH),
    "class with __new__": (Made, PATH),
    "subclass": (Heir, PATH),
    "dataclass": (Record, PATH),
    "method": (Parser.method, {"self": NONE, "path": Path}),
    "bound method": (Parser(Path()).method, PATH),
    "class method": (Parser.by_class, PATH),
    "static method": (Parser.static, PATH),
    "instance": (Parser(Path()), PATH),
    "builtin": (len, {"obj": NONE}),
}


@pytest.mark.parametrize("what", CALLABLES)
def test_the_annotations_of_a_callable(what: str) -> None:
    function, expected = CALLABLES[what]
    signature = resolved_signature(function)
    assert signature is not None
    assert {name: parameter.annotation for name, parameter in signature.parameters.items()} == expected


@pytest.mark.parametrize("function", [dict.fromkeys, max, 5, type], ids=same_each_time)
def test_what_has_no_signature(function: Any) -> None:
    signature = resolved_signature(function)
    assert signature is None or not any(p.annotation is not NONE for p in signature.parameters.values())


@pytest.mark.parametrize(
    ("function", "returned"),
    [(plain, list[Path]), (decorated, list[Path]), (unresolvable, NONE), (odd, NONE), (Parser.method, type(None))],
)
def test_what_is_returned(function: Any, returned: Any) -> None:
    signature = resolved_signature(function)
    assert signature is not None
    assert signature.return_annotation == returned
