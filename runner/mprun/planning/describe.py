"""A plan as a table for people: plain text, every line bounded, what can't be seen is shown as an escape."""

from __future__ import annotations

from mprun.plan import HOOKS, Plan, PoolStep, Step, When, command_text, declared_tasks
from mprun.planning.call_text import call_arguments, process_arguments
from mprun.planning.items_code import Writing, items_code
from mprun.planning.limits_text import limits_text, run_limits
from mprun.planning.order import stages
from mprun.planning.source_text import call, flat, quoted
from mprun.targets import Target

CALL_WIDTH = 72
LIMITS_WIDTH = 60
ITEMS_SHOWN = 8

CONDITION_WIDTH = 40

_COLUMNS = ("wave", "step", "kind", "engine", "tasks", "call", "limits", "needs", "if")
_WHERE_THERE_ARE_SOME = ("engine", "limits", "if")
_GROUPS = {stage: group for group, stage in HOOKS.items()}


def describe(plan: Plan) -> str:
    """The header of the plan, and a line a step in the order of their start."""
    rows = [
        _row(_wave_name(stage, number), step, plan.surroundings.working_dir)
        for stage, its_waves in stages(plan.steps)
        for number, wave in enumerate(its_waves, 1)
        for step in wave
    ]
    parts = [_header(plan), _table([_COLUMNS, *rows])]
    if any(declared_tasks(step) is None for step in plan.steps):
        parts.append("? counted when it starts")
    return "\n\n".join(parts) + "\n"


def _wave_name(stage: When, number: int) -> str:
    if not stage:
        return str(number)
    return _GROUPS[stage] if number == 1 else f"{_GROUPS[stage]} {number}"


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
    needs = ", ".join(name if how == "succeeded" else f"{name} ({how})" for name, how in step.needs.items())
    condition = _bounded(_visible(step.condition.text), CONDITION_WIDTH) if step.condition else ""
    return wave, step.name, step.kind, _engine(step), count, call_shown, limits, needs, condition


def _engine(step: Step) -> str:
    """The engine of a pool that isn't run by the usual one."""
    return step.engine if isinstance(step, PoolStep) and step.engine != "local" else ""


def call_text(step: Step, folder: str) -> str:
    """The call as Python would write it on one line, a command as one types it; of a long list, its first items."""
    called = command_text(step.command) if step.command else step.target.qualname
    writing = Writing(folder, _qualname, _results, isinstance(step, PoolStep) and step.call == "starmap", ITEMS_SHOWN)
    if isinstance(step, PoolStep):
        arguments = call_arguments(step, called, items_code(step.source, writing))
        return _visible(flat(call(f"Pool({step.processes}).{step.call}", arguments)))
    made = called if step.command else flat(call("Process", process_arguments(step, called)))
    cells = f" for each of {flat(items_code(step.cells, writing))}" if step.cells else ""
    return _visible(made + cells)


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
