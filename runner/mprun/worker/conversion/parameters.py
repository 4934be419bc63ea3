"""Which parameter each argument of a call goes to, and what that takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from inspect import Parameter, Signature
from typing import Any, NamedTuple

from mprun.worker.conversion.build import Converters
from mprun.worker.conversion.converter import ANYTHING, Converter, Fault, Rules

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Taken(NamedTuple):
    """What an argument becomes: the parameter as messages name it, and its converter."""

    name: str
    converter: Converter


class Parameters:
    """The parameters of a callable, by position and by name, as `signature` (with resolved annotations) has them."""

    def __init__(self, signature: Signature, rules: Rules) -> None:
        converters = Converters(rules)
        self.by_position: list[Taken] = []
        self.by_name: dict[str, Taken] = {}
        self.further: Taken | None = None  # what `*args` takes, each
        self.others: Converter | None = None  # what `**kwargs` takes, each
        for parameter in signature.parameters.values():
            self._add(parameter, converters.of(parameter.annotation))

    def _add(self, parameter: Parameter, converter: Converter) -> None:
        taken = Taken(parameter.name, converter)
        if parameter.kind in _BY_POSITION:
            self.by_position.append(taken)
        if parameter.kind in _BY_NAME:
            self.by_name[parameter.name] = taken
        if parameter.kind is Parameter.VAR_POSITIONAL:
            self.further = taken
        if parameter.kind is Parameter.VAR_KEYWORD:
            self.others = converter

    def with_others(self, keys: Collection[int | str], others: Parameters) -> Parameters:
        """These parameters, but for those of `keys` (positions and names), which are as in `others`."""
        merged = copy(self)
        positions = [key for key in keys if isinstance(key, int)]
        count = max(len(self.by_position), 1 + max(positions, default=-1))
        places = [(others if place in keys else self).positional(place) for place in range(count)]
        merged.by_position = [taken for taken in places if taken is not None]
        names = {*self.by_name, *(key for key in keys if isinstance(key, str))}
        by_name = {name: (others if name in keys else self).keyword(name) for name in names}
        merged.by_name = {name: taken for name, taken in by_name.items() if taken is not None}
        return merged

    @property
    def take_anything(self) -> bool:
        """Whether no parameter says anything that could be checked."""
        return all(converter is ANYTHING for converter in self.converters())

    def converters(self) -> list[Converter]:
        """Those of all parameters; of one that is taken by position and by name, twice."""
        converters = [taken.converter for taken in (*self.by_position, *self.by_name.values())]
        converters += [self.further.converter] if self.further else []
        return converters + ([self.others] if self.others else [])

    def positional(self, index: int) -> Taken | None:
        """Where the positional argument `index` goes; None where there is no parameter for it."""
        if index < len(self.by_position):
            return self.by_position[index]
        if self.further is None:
            return None
        return Taken(f"{self.further.name}[{index - len(self.by_position)}]", self.further.converter)

    def keyword(self, name: str) -> Taken | None:
        """Where the keyword argument `name` goes; None where there is no parameter for it."""
        if name in self.by_name:
            return self.by_name[name]
        return None if self.others is None else Taken(name, self.others)

    def of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[str | int, Taken, Any]]:
        """(index or name, where it goes, the argument) for each argument that has a parameter."""
        for index, value in enumerate(args):
            if (taken := self.positional(index)) is not None:
                yield index, taken, value
        for name, value in kwargs.items():
            if (taken := self.keyword(name)) is not None:
                yield name, taken, value


def sentence(function: str, parameter: str, fault: Fault) -> str:
    """`fetch` takes `timeout` as an int, not the text `5`."""
    path = fault.path[:-1] if fault.at_key else fault.path
    return f"`{function}` takes `{parameter}{''.join(map(_step, path))}` {fault.message}"


def _step(part: str | int) -> str:
    return f".{part}" if isinstance(part, str) else f"[{part}]"
