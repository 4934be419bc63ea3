"""The arguments of a call, converted as it is made. Nothing of this is imported where nothing is converted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from mprun.errors.exceptions import ConversionError
from mprun.log.values import type_name
from mprun.plan.child_spec import FROM_FILES, Converts
from mprun.worker.conversion.annotations import resolved_signature
from mprun.worker.conversion.converter import ANYTHING, Convert, Mismatch, Rules
from mprun.worker.conversion.parameters import Parameters, sentence

Keys = frozenset[int | str]  # arguments, by position or by name


def converting(function: Callable[..., Any], mode: Converts, strict: Keys = frozenset()) -> Callable[..., Any]:
    """`function`, called with its arguments converted; itself, where none of its annotations asks for anything."""
    conversion = convert(function, mode, strict)
    if conversion is None:
        return function
    convert_call, convert_first = conversion.call, conversion.first

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:  # as `map` calls it: a fraction of what the general way costs
            try:
                value = convert_first(args[0])
            except Mismatch:
                raise conversion.error(args, kwargs) from None
            return function(value)
        args, kwargs = convert_call(args, kwargs)
        return function(*args, **kwargs)

    return call


def convert(function: Callable[..., Any], mode: Converts, strict: Keys = frozenset()) -> Conversion | None:
    """How calls of `function` are converted; None for not at all.

    Where the mode is that of a file, the arguments of the positions and names `strict` come from elsewhere: from the
    workflow, where they were found to be clear before the start, or from another step.
    """
    signature = resolved_signature(function) if mode else None
    if signature is None:
        return None
    parameters = Parameters(signature, Rules(text=mode == "text", settled=mode not in FROM_FILES))
    if mode in FROM_FILES and strict:
        parameters = parameters.with_others(strict, Parameters(signature, Rules(settled=True)))
    return None if parameters.take_anything else Conversion(_name(function), parameters)


class Conversion:
    """Converts the arguments of one function's calls."""

    def __init__(self, name: str, parameters: Parameters) -> None:
        self._name = name
        self._parameters = parameters
        further = parameters.further.converter if parameters.further else ANYTHING
        others = parameters.others or ANYTHING
        self._by_position: list[Convert] = [taken.converter.convert for taken in parameters.by_position]
        self._by_name = {name: taken.converter.convert for name, taken in parameters.by_name.items()}
        self._further, self._others = further.convert, others.convert
        self.first: Convert = [*self._by_position, self._further][0]

    def call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """(args, kwargs) as the function takes them. Raises ConversionError, which lists every wrong argument."""
        try:
            converted = tuple([convert(value) for convert, value in zip(self._converts(args), args, strict=False)])
            if not kwargs:
                return converted, {}
            by_name, others = self._by_name, self._others
            return converted, {name: by_name.get(name, others)(value) for name, value in kwargs.items()}
        except Mismatch:
            raise self.error(args, kwargs) from None

    def error(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ConversionError:
        """The message about arguments that can't be converted."""
        return ConversionError("; ".join(self._faults(args, kwargs)))

    def _converts(self, args: Sequence[Any]) -> Iterable[Convert]:
        """One for each of `args`, or more."""
        if len(args) <= len(self._by_position):
            return self._by_position
        return chain(self._by_position, repeat(self._further))

    def _faults(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[str]:
        for _, taken, value in self._parameters.of(args, kwargs):
            try:
                taken.converter.convert(value)
            except Mismatch as mismatch:
                for fault in mismatch.faults:
                    yield sentence(self._name, taken.name, fault)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", "") or type_name(type(function))
