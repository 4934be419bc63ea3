"""Sources whose items only a run has. The engine feeds them; the classes hold what it needs for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mprun.language.targets import Target, parse_target
from mprun.sources.expression import CallOf, Expression, ResultsOf
from mprun.sources.source import Site, Source, SourceTraits


@dataclass(frozen=True, slots=True)
class CallSource(Source):
    """The items of the iterable that `target(*args, **kwargs)` returns. The call runs in a child."""

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
    """The results of the tasks of another step, in order."""

    step: str
    kind: str = "results"

    TRAITS = SourceTraits(found_in="run")

    def items(self) -> Iterator[Any]:
        raise NotImplementedError("results are there when the engine has them")

    def expression(self) -> Expression:
        return ResultsOf(self.step)
