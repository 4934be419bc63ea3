"""Checks that what one step returns fits what another accepts, by both functions' annotations, without calling
either."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, Signature
from typing import Any

from mprun.language.references import Reference
from mprun.language.targets import resolve
from mprun.worker.checks.problems import Problem, Producer, Use
from mprun.worker.conversion.annotations import resolved_signature
from mprun.worker.conversion.results import element_of, result_problem

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

At = tuple[str | int, ...]


class ResultCheck:
    """Checks the results to which `use` refers as a whole against the parameters that receive them."""

    def __init__(self, signature: Signature, use: Use, notes: tuple[str, ...]) -> None:
        self._use = use
        self._notes = notes
        self._by_name = signature.parameters
        self._by_position = [each for each in signature.parameters.values() if each.kind in _BY_POSITION]

    def problems(self) -> Iterator[Problem]:
        if self._use.items_from is not None:
            yield from self._items(self._use.items_from)
        if self._use.results:
            where = self._use.where
            for index, value in enumerate(self._use.args if self._use.shape == "once" else ()):
                if index < len(self._by_position):
                    yield from self._argument(self._by_position[index], value, (*where, index))
            for name, value in self._use.kwargs.items():
                if name in self._by_name:
                    yield from self._argument(self._by_name[name], value, (*where[:-1], "kwargs", name))

    def _items(self, producer: Producer) -> Iterator[Problem]:
        if self._by_position and self._use.shape.startswith("each"):
            returned = returned_by(producer)
            item = returned if producer.many else element_of(returned)
            yield from self._compare(self._by_position[0], item, self._use.where, producer, "each item of ")

    def _argument(self, parameter: Parameter, value: Any, path: At) -> Iterator[Problem]:
        if not isinstance(value, Reference) or value.scope != "results" or len(value.path) != 1:
            return
        producer = self._use.results.get(value.path[0])
        if producer is not None:
            returned = returned_by(producer)
            whole = list[returned] if producer.many else returned  # type: ignore[valid-type]
            yield from self._compare(parameter, whole, path, producer, "")

    def _compare(
        self, parameter: Parameter, returned: Any, path: At, producer: Producer, what: str
    ) -> Iterator[Problem]:
        if parameter.annotation is Parameter.empty:
            return
        wrong = result_problem(returned, parameter.annotation)
        if wrong:
            message = f"`{self._use.target.qualname}` takes `{parameter.name}`, and {what}`{producer.step}` is none:"
            yield Problem("argument-type", f"{message} {wrong}", path, notes=self._notes)


def returned_by(producer: Producer) -> Any:
    """Return the annotation of what one call of `producer` returns; Any if there is none, or if it can't be read
    here."""
    if producer.target is None:
        return str  # what the program printed
    try:
        signature = resolved_signature(resolve(producer.target))
    except BaseException:  # noqa: BLE001 -- the user's import; reported where that step is checked
        return Any
    if signature is None or signature.return_annotation is Signature.empty:
        return Any
    return signature.return_annotation
