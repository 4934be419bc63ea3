"""Checks a plan's targets in a child process before the start, and finds the places of their mistakes in the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mprun.errors.exceptions import Diagnostic
from mprun.errors.places import Path, Places
from mprun.format.workflow import Workflow
from mprun.language.targets import Target
from mprun.plan.child_spec import Surroundings
from mprun.plan.plan import Plan
from mprun.planning.check.child import TIMEOUT_VARIABLE, TOOK, CheckChild
from mprun.planning.check.uses import uses

_ON_TIME = f"work belongs into a function; where the import itself is that slow, {TIMEOUT_VARIABLE} allows more seconds"


Allowed = Mapping[Path, tuple[tuple[Target, ...], ...]]


class TargetCheck:
    """A running check by `child`, which has its questions. The caller can work until it asks for `diagnostics`.

    `allowed` maps the path of a step or a shared thing to lists of targets, each of which bounds what it may call.
    After the check, `converting` has the paths of the steps and shared things with arguments that need a check or
    conversion, and whether an argument may become another value. `code` has, by step and by the key that names the
    target, the digest of the target's source file.
    """

    def __init__(self, child: CheckChild, plan: Plan, written: Workflow, places: Places, allowed: Allowed) -> None:
        self._surroundings = {step.name: step.surroundings for step in plan.steps}
        self._of_shared = plan.surroundings
        self._places = places
        self.converting: dict[Path, bool] = {}
        self.code: dict[str, dict[str, str]] = {}
        self._uses = {
            number: (path, replace(use, allowed=allowed.get(path, ())))
            for number, (path, use) in enumerate(uses(plan, written))
        }
        self._waiting = list(self._uses)
        self._child = child
        self._asked: set[int] = set()  # the numbers of the questions that the child has
        self._ask()

    def diagnostics(self) -> list[Diagnostic]:
        """Return what is wrong with the targets. Waits for the child; a child that dies or hangs is replaced."""
        found: list[Diagnostic] = []
        try:
            while self._waiting:
                found += self._hear(self._child)
                if self._waiting:
                    self._child = CheckChild()
                    self._ask()
        finally:
            self.close()
        return found

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._child.kill()

    def _ask(self) -> None:
        """Send all waiting questions with the same surroundings as the first one."""
        if not self._waiting:
            return
        around = self._around(self._waiting[0])
        questions = [(number, self._uses[number][1]) for number in self._waiting if self._around(number) == around]
        self._asked = {number for number, _ in questions}
        self._child.ask(around, questions)

    def _around(self, number: int) -> Surroundings:
        group, name = self._uses[number][0]
        return self._of_shared if group == "shared" else self._surroundings[str(name)]

    def _hear(self, child: CheckChild) -> Iterator[Diagnostic]:
        at: int | None = None
        for answer in child.answers():
            if "checking" in answer:
                at = answer["checking"]
                continue
            at = None
            self._waiting.remove(answer["checked"])
            step, use = self._uses[answer["checked"]]
            if answer["converts"]:
                self.converting[step] = self.converting.get(step, False) or answer["changes"]
            if step[0] != "shared" and answer["code"]:  # a shared thing may have the name of a step
                self.code.setdefault(str(step[-1]), {})[str(use.at[0])] = answer["code"]
            for problem in answer["problems"]:
                yield self._placed(step, problem)
        if at is None and self._asked.intersection(self._waiting):
            at = self._waiting[0]  # it died before its first question, which no module of the user's can cause
        if at is not None:
            self._waiting.remove(at)
            yield self._died(at, child.how_it_ended)

    def _placed(self, step: Path, problem: dict[str, Any]) -> Diagnostic:
        path = (*step, *problem["path"])
        place = self._places.key(path) if problem["at_key"] else self._places.value(path)
        near = place.text.find(problem["near"], place.column - 1 + problem["skip"]) if problem["near"] else -1
        if near >= 0:
            place = replace(place, column=near + 1, length=len(problem["near"]))
        return Diagnostic(problem["code"], problem["message"], place, problem["advice"], tuple(problem["notes"]))

    def _died(self, number: int, how: str) -> Diagnostic:
        step, use = self._uses[number]
        name = use.target.module or os.path.basename(use.target.file)
        notes = (_ON_TIME,) if how.startswith(TOOK) else ()
        return Diagnostic("import", f"importing `{name}` {how}", self._places.value((*step, *use.at)), notes=notes)
