"""Checks that the programs of a plan's commands exist where their children will look for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from mprun.errors.exceptions import Diagnostic
from mprun.errors.places import Places
from mprun.format.workflow import Workflow
from mprun.plan.child_spec import Surroundings
from mprun.plan.plan import Plan

_MOST_COMPARED = 5_000


def program_mistakes(plan: Plan, written: Workflow, places: Places, environ: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each program that can't be run. A program that only the run knows is skipped."""
    groups = {name: group for group, name, _ in written.steps}
    for step in plan.steps:
        program = step.command[0] if step.command else None
        if isinstance(program, str) and step.name in groups:
            problem = _problem(program, step.surroundings, environ)
            if problem is not None:
                message, advice, notes = problem
                place = places.value((groups[step.name], step.name, "command", 0))
                yield Diagnostic("no-program", message, place, advice, notes)


def _problem(program: str, around: Surroundings, environ: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]] | None:
    """Return what is wrong, a suggestion, and the places searched; None if the program exists."""
    if os.sep in program:
        return _problem_of_file(program, os.path.join(around.working_dir, program))
    path = around.env.get("PATH", environ.get("PATH", os.defpath))
    folders = [os.path.join(around.working_dir, folder) for folder in path.split(os.pathsep)] if _is_known(path) else []
    if not folders or shutil.which(program, path=os.pathsep.join(folders)):
        return None
    near = get_close_matches(program, _programs(folders), 1)
    notes = () if near else ("looked in the folders of the variable PATH", *_beside(program, around.working_dir))
    return f"there is no program `{program}`", f"did you mean `{near[0]}`?" if near else "", notes


def _problem_of_file(program: str, file: str) -> tuple[str, str, tuple[str, ...]] | None:
    if not os.path.isfile(file):
        return f"there is no program `{program}`", "", ("a path starts from the folder that the children run in",)
    if not os.access(file, os.X_OK):
        return f"`{program}` can't be run: it is not executable", f"`chmod +x {program}`", ()
    return None


def _beside(program: str, folder: str) -> tuple[str, ...]:
    there = os.path.isfile(os.path.join(folder, program))
    return (f"a file in the children's folder is written `./{program}`",) if there else ()


def _is_known(path: Any) -> bool:
    """Return whether the path has no reference that only the run can resolve."""
    return isinstance(path, str)


def _programs(folders: Iterable[str]) -> list[str]:
    """Return the names of the files in `folders`."""
    names: set[str] = set()
    for folder in folders:
        try:
            names.update(os.listdir(folder))
        except OSError:
            continue
    return sorted(names)[:_MOST_COMPARED]
