"""A plan as a graph of its steps and their needs: for people, for Mermaid and for Graphviz."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mprun.language.references import references_in, step_of
from mprun.plan.plan import Plan, PoolStep, ProcessStep, Step, declared_tasks, items_of, streamed_step
from mprun.planning.order import by_wave
from mprun.planning.show.table import aligned
from mprun.sources.table import CallSource, ResultsSource, whole_of


class Edge(NamedTuple):
    """An edge from a step to one that waits for it. `label` says how, unless it waits just for its success."""

    start: str
    end: str
    label: str


def edges(plan: Plan) -> Iterator[Edge]:
    """Yield the edges in the order of the steps that wait."""
    for step in plan.steps:
        results = set(_results(step))
        for name, condition in step.needs.items():
            flow = "streams" if streamed_step(plan, step) == name else "results" if name in results else ""
            words = [word for word in (flow, condition if condition != "succeeded" else "") if word]
            yield Edge(name, step.name, ", ".join(words))


def _results(step: Step) -> Iterator[str]:
    """Yield the steps whose results, or finals, `step` uses."""
    source = items_of(step)
    whole = whole_of(source) if source is not None else None
    if isinstance(whole, ResultsSource):
        yield step_of(whole.step)
    given = [step.args, step.kwargs, step.command]
    given += [step.initargs] if isinstance(step, PoolStep) else []
    given += [whole.args, whole.kwargs] if isinstance(whole, CallSource) else []
    yield from (step_of(reference.path[0]) for reference in references_in(given) if reference.scope == "results")


def as_text(plan: Plan) -> str:
    """Return one line per step in the order of their start, with its needs."""
    into: dict[str, list[str]] = {step.name: [] for step in plan.steps}
    for edge in edges(plan):
        into[edge.end].append(f"{edge.start} ({edge.label})" if edge.label else edge.start)
    rows = [(wave, _title(step), _why(step, into[step.name])) for wave, step in by_wave(plan.steps)]
    return aligned(rows) + "\n"


def _why(step: Step, names: list[str]) -> str:
    """Return what the step waits for, and what else must hold."""
    arrow = [f"← {', '.join(names)}"] if names else []
    return " ".join([*arrow, f"if {step.condition.text}"] if step.condition else arrow)


def _title(step: Step) -> str:
    return f"{step.name} [{_kind(step)}]"


def _kind(step: Step) -> str:
    """Return text such as `pool, 1,000 tasks`, `process`, `8 processes`."""
    count = declared_tasks(step)
    if isinstance(step, ProcessStep):
        if step.cells is not None:
            return "processes" if count is None else f"{count:,} process{'es' * (count != 1)}"
        return "daemon" if step.daemon else "process"
    return "pool" if count is None else f"pool, {count:,} task{'s' * (count != 1)}"


def as_mermaid(plan: Plan) -> str:
    """Return a flow chart for Mermaid. Names of steps are in quotes, because some are keywords of Mermaid."""
    numbers = {step.name: f"s{number}" for number, step in enumerate(plan.steps)}
    nodes = [f'    {numbers[step.name]}["{step.name}<br/>{_kind(step)}"]' for step in plan.steps]
    arrows = [
        f"    {numbers[edge.start]} -->{f'|{edge.label}|' if edge.label else ''} {numbers[edge.end]}"
        for edge in edges(plan)
    ]
    return "\n".join(["flowchart TD", *nodes, *arrows]) + "\n"


def as_dot(plan: Plan) -> str:
    """Return a directed graph for Graphviz."""
    nodes = [f'    "{step.name}" [label="{step.name}\\n{_kind(step)}"];' for step in plan.steps]
    arrows = [
        f'    "{edge.start}" -> "{edge.end}"{f" [label={chr(34)}{edge.label}{chr(34)}]" if edge.label else ""};'
        for edge in edges(plan)
    ]
    return "\n".join(["digraph {", "    node [shape=box];", *nodes, *arrows, "}"]) + "\n"


FORMATS: dict[str, Callable[[Plan], str]] = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}
