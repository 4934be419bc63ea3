"""A plan as a table for people: plain text in bounded lines, with escapes for invisible characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mprun.engines.table import USUAL_ENGINE
from mprun.plan.plan import Plan, PoolStep, Step, declared_tasks, items_of
from mprun.planning.order import by_wave
from mprun.planning.show.limits_text import bounds_text, run_limits
from mprun.planning.show.source_text import quoted
from mprun.planning.show.step_text import call_text, size_text

CALL_WIDTH = 72
LIMITS_WIDTH = 60

CONDITION_WIDTH = 40
PATHS_WIDTH = 60

_COLUMNS = ("wave", "step", "kind", "engine", "tasks", "call", "limits", "around", "reads", "writes", "needs", "if")
_WHERE_THERE_ARE_SOME = ("engine", "limits", "around", "reads", "writes", "if")


def describe(plan: Plan) -> str:
    """Return the header of the plan, and one line per step in the order of their start."""
    rows = [_row(wave, step, plan) for wave, step in by_wave(plan.steps)]
    parts = [_header(plan), _table([_COLUMNS, *rows])]
    if any(declared_tasks(step) is None for step in plan.steps):
        parts.append("? counted when it starts")
    return "\n\n".join(parts) + "\n"


def _header(plan: Plan) -> str:
    around = plan.surroundings
    facts = {
        "workflow": f"{plan.name} ({plan.workflow})",
        "description": " ".join(plan.description.split()),
        "start method": plan.start_method,
        "working folder": around.working_dir,
        "environment": ", ".join(around.env),
        **run_limits(plan),
        "shared": ", ".join(f"{thing.name} ({thing.kind})" for thing in plan.shared),
        "logged tasks": "failures only" if plan.log_tasks == "failures" else "",
    }
    return "\n".join(f"{name:<16}{_visible(fact)}" for name, fact in facts.items() if fact)


def _row(wave: str, step: Step, plan: Plan) -> tuple[str, ...]:
    source = items_of(step)
    count = "1" if source is None else size_text(source)
    call_shown = _bounded(_visible(call_text(step, step.surroundings.working_dir)), CALL_WIDTH)
    limits = _bounded(bounds_text(step), LIMITS_WIDTH)
    folder = plan.surroundings.working_dir
    reads, writes = _paths(step.inputs, folder), _paths(_written_by(step), folder)
    needs = ", ".join(name if how == "succeeded" else f"{name} ({how})" for name, how in step.needs.items())
    condition = _bounded(_visible(step.condition.text), CONDITION_WIDTH) if step.condition else ""
    around = _around(step, plan)
    return wave, step.name, step.kind, _engine(step), count, call_shown, limits, around, reads, writes, needs, condition


def _around(step: Step, plan: Plan) -> str:
    """Return the folder and the variables that differ from the workflow's."""
    own, shared = step.surroundings, plan.surroundings
    folder = [] if own.working_dir == shared.working_dir else [f"in {_below(own.working_dir, shared.working_dir)}"]
    return ", ".join([*folder, *(name for name, value in own.env.items() if shared.env.get(name) != value)])


def _written_by(step: Step) -> list[object]:
    return [*(path for path, _ in step.outputs), *(path for path in (step.stdout, step.stderr, step.save) if path)]


def _paths(paths: Iterable[object], folder: str) -> str:
    """Return paths as they are written, or nearly so; what depends on an item as the reference to it."""
    return _bounded(_visible(", ".join(_below(str(path), folder) for path in paths)), PATHS_WIDTH)


def _below(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/")


def _engine(step: Step) -> str:
    """Return the engine of a pool if it isn't the usual one."""
    return step.engine if isinstance(step, PoolStep) and step.engine != USUAL_ENGINE else ""


def _bounded(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _visible(text: str) -> str:
    """Return `text` with invisible characters, such as those that move a cursor, as escapes."""
    return "".join(c if c.isprintable() else quoted(c)[1:-1] for c in text)


def _table(rows: list[tuple[str, ...]]) -> str:
    """Return the rows without the columns that would be empty."""
    columns = [c for c in zip(*rows, strict=True) if c[0] not in _WHERE_THERE_ARE_SOME or any(c[1:])]
    return aligned(list(zip(*columns, strict=True)))


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Return columns as wide as their widest cell, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(map(str.rstrip, padded))
