"""What each step of a generated script calls, and with what: the functions, their arguments, the items."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from mprun.language.references import references_in, written_out
from mprun.plan.plan import PoolStep, ProcessStep, shared_by
from mprun.planning.eject.library import Used
from mprun.planning.eject.names import Imports
from mprun.planning.eject.values import CELL, Values
from mprun.planning.show.call_text import call_arguments, pool_arguments, process_arguments
from mprun.planning.show.items_code import Writing, items_code, keywords
from mprun.planning.show.source_text import Bare, Code, Group, call, comprehension, literal, quoted
from mprun.sources.table import (
    CallSource,
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    ListSource,
    ResultsSource,
    Source,
    whole_of,
)


class Calls:
    """Writes the calls of one plan; `results` names what a step has returned, `ending` are queues that end."""

    def __init__(
        self, folder: str, imports: Imports, results: Callable[[str], str], used: Used, ending: Collection[str]
    ) -> None:
        self._ending = ending
        self._folder = folder
        self._imports = imports
        self._results = results
        self._used = used
        self.values = Values(results, used)

    def process(self, step: ProcessStep, returns: bool) -> Group:
        """The Process of `step`, or those of its cells; with `returns` one that tells what its function returned."""
        each = self._one_process(step, returns)
        if step.cells is None:
            return each
        cells = comprehension(each, self._cell_name(step), self._items(step.cells))
        return call(self._used("FanOut"), [cells, f"most={step.max_parallel or 'os.cpu_count()'}"])

    def pool(self, step: PoolStep, name: str, folder: str) -> Group:
        """`context.Pool(…) as name`; where the step has a finalizer, its workers leave their finals in `folder`."""
        initializer = self._imports.expression(step.initializer) if step.initializer else ""
        initargs = self.values.coded(step.initargs)
        if step.initializer and step.converts:
            initializer, initargs = self._converting(step), (Bare(initializer), *initargs)
        if _keeps_its_function(step):
            given = [Bare(initializer)] if initializer else []
            initializer, initargs = self._used("keep_function"), (self._kept(step), *given, *initargs)
        if step.finalizer:
            self._used("finals_of")
            end = Bare(folder), Bare(self._imports.expression(step.finalizer))
            initializer, initargs = "begin_worker", (*end, *[Bare(initializer)] * bool(initializer), *initargs)
        return call("context.Pool", pool_arguments(replace(step, initargs=initargs), initializer), f") as {name}")

    def pool_call(self, step: PoolStep, method: str) -> Group:
        """What `method` of the pool is given."""
        if step.command:
            return call(method, self._commands(step))
        coded = self._coded(step)
        items = self._items(step.source, starred=method_of(step) == "starmap")
        if _keeps_its_function(step):
            return call(method, call_arguments(replace(coded, args=(), kwargs={}), "call_kept_function", items))
        return call(method, call_arguments(coded, self._function(coded), items))

    def _coded(self, step: PoolStep) -> PoolStep:
        return replace(step, args=self.values.coded(step.args), kwargs=self.values.coded(step.kwargs))

    def _kept(self, step: PoolStep) -> Code:
        """What each worker keeps: the function, with all that it is given beside items."""
        coded = self._coded(step)
        function = self._function(coded)
        single = [*map(literal, coded.args), *keywords(coded.kwargs)] if step.call == "apply" else []
        return self._partial([function, *single])

    # -- processes

    def _one_process(self, step: ProcessStep, returns: bool) -> Group:
        target, args, kwargs = self._until_the_end(step, *self._call_of_process(step, returns))
        arguments = process_arguments(replace(step, args=args, kwargs=kwargs), target)
        return call(self._used("Returning"), ["context", *arguments]) if returns else call("context.Process", arguments)

    def _call_of_process(self, step: ProcessStep, returns: bool) -> tuple[str, tuple[Any, ...], Any]:
        if step.command and returns:
            return self._used("run_command"), (self._command(step.command, step.cells),), {}
        if step.command:
            self._imports.add("subprocess")
            return "subprocess.run", (self._command(step.command, step.cells),), {"check": True}
        target, args = self._imports.expression(step.target), self.values.coded(step.args)
        kwargs = Bare(CELL["matrix"]) if step.cell == "kwargs" else self.values.coded(step.kwargs)
        return (self._converting(step), (Bare(target), *args), kwargs) if step.converts else (target, args, kwargs)

    def _until_the_end(self, step: ProcessStep, target: str, args: Any, kwargs: Any) -> tuple[str, Any, Any]:
        """The call, after which the queues that it puts into know that it doesn't any more."""
        queues = tuple(Bare(f"shared[{quoted(name)}]") for name in shared_by(step) if name in self._ending)
        if not queues:
            return target, args, kwargs
        return self._used("call_and_leave"), (queues, Bare(target), *args), kwargs

    def _cell_name(self, step: ProcessStep) -> str:
        return CELL["item" if step.cell == "item" else "matrix"]

    # -- pools

    def _items(self, source: Source, starred: bool = False) -> Code:
        expression, coded = self._imports.expression, self.values.coded
        return items_code(source, Writing(self._folder, expression, self._results, starred, coded=coded))

    def _function(self, step: PoolStep) -> Code:
        """What the pool calls with each item: the target, with what is the same for each task."""
        target = self._imports.expression(step.target)
        given: list[Code] = [self._converting(step), target] if step.converts else [target]
        if wrapper := _wrapper(step):
            given = [self._used(wrapper), self._partial(given)]
        return self._partial([*given, *(keywords(step.kwargs) if step.call != "apply" else [])])

    def _partial(self, given: list[Code]) -> Code:
        if len(given) == 1:
            return given[0]
        self._imports.add("functools")
        return call("functools.partial", given)

    def _converting(self, step: ProcessStep | PoolStep) -> str:
        return self._used("converted_from_text" if step.converts == "text" else "converted")

    # -- commands

    def _commands(self, step: PoolStep) -> list[Code]:
        """A program for each item, whose arguments it is."""
        run, command = self._used("run_command"), self._command(step.command, step.source)
        if step.call == "apply":
            return [run, Group("(", (literal(command),), ")")]
        scopes = {reference.scope for reference in references_in(step.command)}
        variable = next((CELL[scope] for scope in CELL if scope in scopes), "_")
        brackets = "()" if step.call.startswith("imap") else "[]"
        commands = comprehension(literal(command), variable, self._items(step.source), brackets)
        return [run, commands, *[f"chunksize={step.chunksize}"] * bool(step.chunksize)]

    def _command(self, command: tuple[Any, ...], items: Source | None) -> list[Any]:
        """A program and its arguments, each a text."""
        texts = ("item",) if items is not None and isinstance(whole_of(items), GlobSource | LinesSource) else ()
        return [self._argument(part, texts) for part in command]

    def _argument(self, part: Any, texts: tuple[str, ...]) -> Any:
        if any(references_in(part)):
            return Bare(self.values.text(part, texts))
        return part if isinstance(part, str) else written_out(part)


def method_of(step: PoolStep) -> str:
    """The method of `multiprocessing.Pool` that `step` calls: one that gives each call one item where a helper takes
    the item apart."""
    if step.call in ("imap", "imap_unordered", "apply"):
        return step.call
    return "starmap" if step.call == "starmap" and not (step.command or _wrapper(step)) else "map"


def _keeps_its_function(step: PoolStep) -> bool:
    """Whether its tasks are given what is shared, which can reach a worker only when that is started."""
    return any(each.scope == "shared" for each in references_in((step.args, step.kwargs)))


def _wrapper(step: PoolStep) -> str:
    """The helper that makes of an item the arguments of a call, where the pool's method doesn't."""
    if step.call in ("matrix", "zip"):
        return "call_with"
    return "call_spread" if step.call == "starmap" and _may_be_by_name(step.source) else ""


def _may_be_by_name(source: Source) -> bool:
    """Whether an item of a `starmap` may be a mapping of keyword arguments."""
    whole = whole_of(source)
    if isinstance(whole, ListSource):
        return any(isinstance(value, dict) for value in whole.values)
    return isinstance(whole, CsvSource | JsonlSource | CallSource | ResultsSource)
