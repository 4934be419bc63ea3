"""A plan as a table for people: plain text, every line bounded, what can't be seen is shown as an escape."""

from __future__ import annotations

from mprun.plan import Plan, PoolStep, ProcessStep, Step, declared_tasks
from mprun.planning.call_text import call_arguments, process_arguments
from mprun.planning.items_code import Writing, items_code
from mprun.planning.limits_text import limits_text, run_limits
from mprun.planning.order import waves
from mprun.planning.source_text import call, flat, quoted
from mprun.targets import Target

CALL_WIDTH = 72
LIMITS_WIDTH = 60
ITEMS_SHOWN = 8

_COLUMNS = ("wave", "step", "kind", "engine", "tasks", "call", "limits", "needs")
_WHERE_THERE_ARE_SOME = ("engine", "limits")


def describe(plan: Plan) -> str:
    """The header of the plan, and a line a step in the order of their start."""
    rows = [
        _row(str(number), step, plan.surroundings.working_dir)
        for number, wave in enumerate(waves(plan.steps), 1)
        for step in wave
    ]
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
        "logged tasks": "failures only" if plan.log_tasks == "failures" else "",
    }
    return "\n".join(f"{name:<16}{_visible(fact)}" for name, fact in facts.items() if fact)


def _row(wave: str, step: Step, folder: str) -> tuple[str, ...]:
    tasks = declared_tasks(step)
    count = "?" if tasks is None else f"{tasks:,}"
    call_shown = _bounded(call_text(step, folder), CALL_WIDTH)
    limits = _bounded(limits_text(step.limits), LIMITS_WIDTH)
    return wave, step.name, step.kind, _engine(step), count, call_shown, limits, ", ".join(step.needs)


def _engine(step: Step) -> str:
    """The engine of a pool that isn't run by the usual one."""
    return step.engine if isinstance(step, PoolStep) and step.engine != "local" else ""


def call_text(step: Step, folder: str) -> str:
    """The call as Python would write it on one line; of a long list, its first items."""
    if isinstance(step, ProcessStep):
        return flat(call("Process", process_arguments(step, step.target.qualname)))
    writing = Writing(folder, _qualname, _results, step.call == "starmap", ITEMS_SHOWN)
    arguments = call_arguments(step, step.target.qualname, items_code(step.source, writing))
    return flat(call(f"Pool({step.processes}).{step.call}", arguments))


def _qualname(target: Target) -> str:
    return target.qualname


def _results(step: str) -> str:
    return f"${{results.{step}}}"


def _bounded(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _visible(text: str) -> str:
    """`text` with what can't be seen, such as what moves a terminal's cursor, written as an escape."""
    return "".join(c if c.isprintable() else quoted(c)[1:-1] for c in text)


def _table(rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell, two spaces apart; some are left out where they would be empty."""
    columns = [c for c in zip(*rows, strict=True) if c[0] not in _WHERE_THERE_ARE_SOME or any(c[1:])]
    rows = list(zip(*columns, strict=True))
    widths = [max(map(len, column)) for column in columns]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(map(str.rstrip, padded))
