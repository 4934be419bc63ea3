"""What was measured, as a Markdown table and as JSON, with the conditions under which it was."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.peers import START_METHOD
from benchmarks.rounds import Measured

PACKAGES = ("joblib", "loky", "pebble", "mpire", "numpy")

# What contenders are called for people, where their short name isn't it.
NAMES = {"pool_map": "Pool.map", "executor": "ProcessPoolExecutor"}


def missing_packages() -> list[str]:
    return [name for name in PACKAGES if _version(name) is None]


def conditions(*, rounds: int, scale: float) -> dict[str, Any]:
    """To be asked before anything is measured: the load is part of it."""
    from mprun import __version__
    from mprun.system.machine import available_cpus

    return {
        "cpus": available_cpus(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "start_method": START_METHOD,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "rounds": rounds,
        "scale": scale,
        "versions": {"mprun": __version__, **{name: _version(name) for name in PACKAGES}},
    }


def as_markdown(under: dict[str, Any], results: Sequence[Measured]) -> str:
    return "\n".join([*_conditions(under), "", *_summary(results), "", *_details(results)]) + "\n"


def as_data(under: dict[str, Any], results: Sequence[Measured]) -> dict[str, Any]:
    return {
        "conditions": under,
        "cases": [
            {
                "name": measured.case.name,
                "size": measured.size,
                "unit": measured.case.unit,
                "figures": measured.figures,
                "medians": measured.medians,
                "failures": measured.failures,
                "goal": measured.case.goal and measured.case.goal.text,
                "value": measured.value,
                "reached": _reached(measured),
            }
            for measured in results
        ],
    }


def _conditions(under: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in under["versions"].items())
    load = " ".join(f"{load:.2f}" for load in under["load_average"])
    sizes = "" if under["scale"] == 1 else f", **sizes × {under['scale']:g}: not the goals' sizes**"
    yield f"{under['cpus']} CPUs, Python {under['python']}, {under['platform']}, start method `{under['start_method']}`"
    yield f"(joblib and loky: their own), load average at the start {load}, median of {under['rounds']} rounds in turn"
    yield f"{versions}{sizes}."


def _summary(results: Iterable[Measured]) -> Iterator[str]:
    yield from _row("work", "goal", "measured", "reached")
    yield from _row("---", "---", "---:", "---")
    for measured in results:
        goal = measured.case.goal
        if goal is not None:
            value = "–" if measured.value is None else f"{measured.value:.2f}{goal.unit}"
            reached = {True: "yes", False: "**no**", None: "not measured"}[_reached(measured)]
            yield from _row(measured.case.title, goal.text, value, reached)


def _details(results: Iterable[Measured]) -> Iterator[str]:
    yield from _row("work", "contender", "median", "lowest to highest", "ratio to the first")
    yield from _row("---", "---", "---:", "---:", "---:")
    for measured in results:
        case, medians = measured.case, measured.medians
        for name in case.contenders:
            called = NAMES.get(name, name)
            if name in measured.failures:
                yield from _row(case.name, called, f"failed: {measured.failures[name]}", "", "")
                continue
            figures, digits = measured.figures[name], case.digits
            ratio = f"{medians[name] / medians[case.first]:.2f}" if case.first in medians else ""
            spread = f"{min(figures):.{digits}f} to {max(figures):.{digits}f}"
            yield from _row(case.name, called, f"{medians[name]:.{digits}f} {case.unit}", spread, ratio)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _reached(measured: Measured) -> bool | None:
    goal, value = measured.case.goal, measured.value
    return None if goal is None or value is None else goal.reached(value)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
