"""What each step of a generated script calls, and with what: the functions, their arguments, the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mprun.language.references import Reference, Template, variable_name
from mprun.plan.plan import PoolStep, ProcessStep, SharedThing
from mprun.planning.eject.names import Imports
from mprun.planning.show.call_text import call_arguments, process_arguments
from mprun.planning.show.items_code import Writing, items_code, keywords
from mprun.planning.show.source_text import Bare, Code, Group, call, comprehension, led, literal, quoted
from mprun.sharing.kinds import MANAGED, in_c
from mprun.sources.table import Source


class Values:
    """Writes values of a plan as code; `variables` has by scope and name what stands for results and shared things."""

    def __init__(self, variables: Mapping[tuple[str, str], str]) -> None:
        self._variables = variables

    def coded(self, value: Any) -> Any:
        """`value` with code in the place of each reference, also inside lists, tuples and the values of dicts."""
        match value:
            case Reference():
                return Bare(self._reference(value))
            case Template():
                return Bare(" + ".join(quoted(p) if isinstance(p, str) else self._reference(p) for p in value.parts))
            case list() | tuple():
                return type(value)(map(self.coded, value))
            case dict():
                return {key: self.coded(item) for key, item in value.items()}
            case _:
                return value

    def results(self, step: str) -> str:
        return self._variables["results", step]

    def _reference(self, reference: Reference) -> str:
        """The variable that has the value, an item of it, or where the environment has it."""
        if reference.scope == "item":
            return "item"
        name, *indexes = reference.path
        if reference.scope == "params":
            return f"os.environ[{quoted(variable_name(name))}]"
        return self._variables[reference.scope, name] + "".join(f"[{index}]" for index in indexes)


class Calls:
    """Writes the calls of one plan, whose steps run in `folder`."""

    def __init__(self, folder: str, imports: Imports, values: Values) -> None:
        self._folder = folder
        self._imports = imports
        self._values = values

    def shared(self, thing: SharedThing) -> Code:
        """What makes `thing`."""
        if thing.kind == "object":
            (made,) = thing.args
            function = self._imports.expression(made["call"])
            return call(function, [*map(literal, made["args"]), *keywords(made["kwargs"])])
        owner = "manager" if thing.kind in MANAGED else "context"
        return call(f"{owner}.{thing.kind}", map(literal, _as_c_has_it(thing)))

    def process(self, step: ProcessStep) -> Group:
        """The Process of `step`, or the list of those of its cells."""
        coded = replace(step, args=self._values.coded(step.args), kwargs=self._values.coded(step.kwargs))
        one = call("context.Process", process_arguments(coded, self._imports.expression(step.target)))
        return one if step.cells is None else comprehension(one, "item", self._items(step.cells))

    def pool(self, step: PoolStep, name: str) -> Group:
        """`context.Pool(…) as name`."""
        arguments: list[Code] = [f"processes={step.processes}"]
        if step.initializer:
            arguments.append(f"initializer={self._imports.expression(step.initializer)}")
        if step.initargs:
            arguments.append(led("initargs=", literal(self._values.coded(step.initargs))))
        if step.maxtasksperchild:
            arguments.append(f"maxtasksperchild={step.maxtasksperchild}")
        return call("context.Pool", arguments, f") as {name}")

    def pool_call(self, step: PoolStep, method: str) -> Group:
        """What `method` of the pool is given."""
        coded = replace(step, args=self._values.coded(step.args), kwargs=self._values.coded(step.kwargs))
        return call(
            method, call_arguments(coded, self._function(coded), self._items(step.source, step.call == "starmap"))
        )

    def _function(self, step: PoolStep) -> Code:
        """What the pool calls with each item: the target, with what is the same for each task."""
        target = self._imports.expression(step.target)
        if step.call == "apply" or not step.kwargs:
            return target
        self._imports.add("functools")
        return call("functools.partial", [target, *keywords(step.kwargs)])

    def _items(self, source: Source, starred: bool = False) -> Code:
        values, expression = self._values, self._imports.expression
        return items_code(source, Writing(self._folder, expression, values.results, starred, coded=values.coded))


def _as_c_has_it(thing: SharedThing) -> tuple[Any, ...]:
    """The arguments of a thing, where characters of C are bytes."""
    if thing.kind not in ("Value", "Array"):
        return thing.args
    code, *content = thing.args
    return (code, *([in_c(code, e) for e in each] if isinstance(each, list) else in_c(code, each) for each in content))
