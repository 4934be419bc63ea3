"""Checks whether a callable accepts given arguments, by its signature, without calling it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import Parameter
from typing import Any

from mprun.log.values import bounded_repr
from mprun.worker.checks.argument_values import ValueCheck
from mprun.worker.checks.problems import Problem, Use
from mprun.worker.checks.results import ResultCheck
from mprun.worker.checks.saved_rows import RowCheck
from mprun.worker.conversion.annotations import raw_signature, resolved_signature
from mprun.worker.conversion.converter import did_you_mean

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class ArgumentCheck:
    """Finds each way in which `use` calls `function` wrongly, and results that its step can't save.

    Accepts a builtin without a signature. After all problems are found, `converts` says whether any argument needs a
    check or conversion in the child, and `changes` whether one may become another value.
    """

    def __init__(self, function: Callable[..., Any], use: Use) -> None:
        signature, resolved = raw_signature(function), resolved_signature(function)
        notes = (_defined_at(function, use.target.qualname, signature),) if signature else ()
        self._calls = _CallCheck(signature, use, notes) if signature else None
        self._values = ValueCheck(resolved, use, notes) if resolved else None
        self._results = ResultCheck(resolved, use, notes) if resolved else None
        self._rows = RowCheck(resolved, use, notes) if resolved else None

    @property
    def converts(self) -> bool:
        return self._values is not None and self._values.converts

    @property
    def changes(self) -> bool:
        return self._values is not None and self._values.changes

    def problems(self) -> Iterator[Problem]:
        if self._calls is not None:
            yield from self._calls.problems()
        if self._values is not None:
            yield from self._values.problems()
        if self._results is not None:
            yield from self._results.problems()
        if self._rows is not None:
            yield from self._rows.problems()


class _CallCheck:
    """Checks the names and the number of the arguments."""

    def __init__(self, signature: inspect.Signature, use: Use, notes: tuple[str, ...]) -> None:
        self._signature = signature
        self._use = use
        self._name = use.target.qualname
        self._notes = notes

    def problems(self) -> Iterator[Problem]:
        use = self._use
        if use.shape in ("once", "axes", "generator"):
            return self.call(use.args, use.kwargs, use.where)
        return self.one_item() if use.shape.startswith("each") else self.starred()

    def call(self, args: Sequence[Any], kwargs: Mapping[str, Any], where: tuple[str | int, ...]) -> Iterator[Problem]:
        """Yield the problems of `function(*args, **kwargs)`, where `args` are written at `where`."""
        unknown = [name for name in kwargs if not self._takes_keyword(name)]
        for name in unknown:
            yield self._unknown(name, where)
        most = self._most_positional()
        if most is not None and len(args) > most:
            takes = f"`{self._name}` takes {_count(most, 'positional argument')}, and is given {len(args)}"
            yield self._problem(takes, where)
            return
        for name in self._given_twice(args, kwargs):
            yield self._keyword_problem(f"`{name}` is given both in `args` and in `kwargs`", where, name)
        missing = self._missing(args, kwargs)
        if missing and not unknown:
            written = where if args or len(where) > 1 else self._use.at
            advice = "its first argument is the object" if "self" in self._signature.parameters else ""
            yield self._problem(f"`{self._name}` {'also ' if args else ''}needs {_names(missing)}", written, advice)

    def _unknown(self, name: str, where: tuple[str | int, ...]) -> Problem:
        advice = did_you_mean(name, self._keywords())
        message = f"`{self._name}` takes no argument `{name}`"
        if name in self._signature.parameters:
            message, advice = f"`{self._name}` takes `{name}` by position only", "give it in `args`"
        return self._keyword_problem(message, where, name, advice)

    def one_item(self) -> Iterator[Problem]:
        most = self._most_positional()
        if most == 0:
            yield self._problem(f"`{self._name}` takes no positional argument, and is given each item as one")
            return
        kwargs, where = self._use.kwargs, self._use.where
        unknown = [name for name in kwargs if not self._takes_keyword(name)]
        for name in unknown:
            yield self._unknown(name, where)
        for name in self._given_twice((None,), kwargs):
            yield self._keyword_problem(f"`{name}` is the item already, which each call is given first", where, name)
        missing = self._missing((None,), kwargs)
        if missing and not unknown:
            keyword_only = self._parameters(Parameter.KEYWORD_ONLY)
            by_star = self._use.where == ("map",) and not any(p.name in missing for p in keyword_only)
            advice = "`starmap` gives each call a list of arguments" if by_star else ""
            yield self._problem(
                f"`{self._name}` is given one argument, the item, and also needs {_names(missing)}", advice=advice
            )

    def starred(self) -> Iterator[Problem]:
        call, same = self._use.where[0], self._use.kwargs
        if isinstance(self._use.args, range):
            yield self._problem("each item of a `starmap` is a list of arguments, and a `range` has numbers")
            return
        if self._use.shape == "star-like":
            return
        for index, item in enumerate(self._use.args):
            if isinstance(item, list):
                yield from self.call(item, same, (call, index))
            elif isinstance(item, dict) and all(isinstance(name, str) for name in item):
                yield from self.call((), {**same, **item}, (call, index))
            else:
                message = f"each item of a `starmap` is a list of arguments, and this one is {bounded_repr(item, 40)}"
                yield Problem("arguments", message, (call, index), advice="`map` gives each call one item")

    def _problem(self, message: str, where: tuple[str | int, ...] | None = None, advice: str = "") -> Problem:
        return Problem("arguments", message, where or self._use.where, advice=advice, notes=self._notes)

    def _keyword_problem(self, message: str, where: tuple[str | int, ...], name: str, advice: str = "") -> Problem:
        in_mapping = self._use.shape == "axes" or isinstance(where[-1], int)
        path = (*where, name) if in_mapping else (*where[:-1], "kwargs", name)
        return Problem("arguments", message, path, advice=advice, notes=self._notes, at_key=True)

    def _parameters(self, *kinds: Any) -> list[Parameter]:
        return [parameter for parameter in self._signature.parameters.values() if parameter.kind in kinds]

    def _keywords(self) -> list[str]:
        return [p.name for p in self._parameters(Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)]

    def _takes_keyword(self, name: str) -> bool:
        return name in self._keywords() or bool(self._parameters(Parameter.VAR_KEYWORD))

    def _most_positional(self) -> int | None:
        return None if self._parameters(Parameter.VAR_POSITIONAL) else len(self._parameters(*_POSITIONAL))

    def _given_twice(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
        taken = self._parameters(*_POSITIONAL)[: len(args)]
        return [p.name for p in taken if p.name in kwargs and p.kind is Parameter.POSITIONAL_OR_KEYWORD]

    def _missing(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
        later = [*self._parameters(*_POSITIONAL)[len(args) :], *self._parameters(Parameter.KEYWORD_ONLY)]
        return [
            p.name
            for p in later
            if p.default is Parameter.empty and (p.name not in kwargs or p.kind is Parameter.POSITIONAL_ONLY)
        ]


def _defined_at(function: Callable[..., Any], name: str, signature: inspect.Signature) -> str:
    """Return where the function is defined, such as `jobs.py:12: fetch(url, timeout=3)`."""
    shown = f"{name}{_unquoted(signature)}"
    shown = shown if len(shown) <= 200 else shown[:199] + "…"
    try:
        code: Any = inspect.unwrap(function)
        file = inspect.getsourcefile(code)
        line = inspect.getsourcelines(code)[1]
    except (TypeError, OSError, ValueError):
        return shown
    return f"{short_path(file)}:{line}: {shown}" if file else shown


class _Written(str):
    """An annotation that is text, shown as it is written. Python would show it in quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _unquoted(signature: inspect.Signature) -> inspect.Signature:
    def shown(annotation: Any) -> Any:
        return _Written(annotation) if isinstance(annotation, str) else annotation

    parameters = [each.replace(annotation=shown(each.annotation)) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=shown(signature.return_annotation))


def short_path(file: str) -> str:
    """Return the path relative to the workflow's working folder, if it lies below that."""
    return os.path.relpath(file) if file.startswith(os.path.join(os.getcwd(), "")) else file


def _names(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
