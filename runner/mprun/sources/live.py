"""Sources whose items only a run makes: the engine feeds them, here is what it needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mprun.language.targets import Target, parse_target
from mprun.sources.expression import CallOf, Expression, ResultsOf
from mprun.sources.source import Site, Source, SourceTraits


@dataclass(frozen=True, slots=True)
class CallSource(Source):
    """What the iterable yields that `target(*args, **kwargs)` returns, called in a child."""

    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    kind: str = "call"

    TRAITS = SourceTraits(found_in="run", modifiers=("args", "kwargs"))

    @classmethod
    def built(cls, written: str, site: Site, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None) -> Self:
        return cls(parse_target(written, site.folder), tuple(args), kwargs or {})

    def items(self) -> Iterator[Any]:
        raise NotImplementedError("a call is made in a child, which the engine starts")

    def expression(self) -> Expression:
        return CallOf(self.target, self.args, self.kwargs)


@dataclass(frozen=True, slots=True)
class ResultsSource(Source):
    """The results of the tasks of another step, in their order."""

    step: str
    kind: str = "results"

    TRAITS = SourceTraits(found_in="run")

    def items(self) -> Iterator[Any]:
        raise NotImplementedError("results are there when the engine has them")

    def expression(self) -> Expression:
        return ResultsOf(self.step)
