"""Sources whose items only a run makes: the engine feeds them, here is what it needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.language.targets import Target
from mprun.sources.decoding import Decoding


@dataclass(frozen=True, slots=True)
class CallSource:
    """What the iterable yields that `target(*args, **kwargs)` returns, called in a child."""

    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    kind: str = "call"

    def count(self) -> int | None:
        return None

    def items(self) -> Iterator[Any]:
        raise NotImplementedError("a call is made in a child, which the engine starts")

    def sequence(self) -> Sequence[Any] | None:
        return None

    def decoding(self) -> Decoding | None:
        return None


@dataclass(frozen=True, slots=True)
class ResultsSource:
    """The results of the tasks of another step, in their order."""

    step: str
    kind: str = "results"

    def count(self) -> int | None:
        return None

    def items(self) -> Iterator[Any]:
        raise NotImplementedError("results are there when the engine has them")

    def sequence(self) -> Sequence[Any] | None:
        return None

    def decoding(self) -> Decoding | None:
        return None
