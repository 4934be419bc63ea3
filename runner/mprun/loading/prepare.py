"""From a workflow file to a plan that is known to start: load, build, check the targets; every mistake at once."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from mprun.errors.exceptions import Diagnostic, WorkflowError
from mprun.loading.params.inputs import GivenParams
from mprun.log.masking import Secrets
from mprun.plan.plan import Plan
from mprun.planning.check.child import CheckChild

if TYPE_CHECKING:
    from mprun.format.workflow import Workflow
    from mprun.loading.load import Loaded
    from mprun.planning.check.targets import Allowed, TargetCheck


class Preparation:
    """A file being made into a plan. The targets are checked in a child while the caller does something else.

    Raises UsageError where the environment's limit for imports is none.
    """

    def __init__(self, file: str, given: GivenParams = GivenParams(), *, check_targets: bool = True) -> None:  # noqa: B008 -- frozen
        child = CheckChild() if check_targets else None  # it boots while the file is read, and what reads it imported
        from mprun.loading.load import load

        self._loaded = load(file, given)
        self._plan = _plan_of(self._loaded)
        self._check = _check_of(child, self._loaded, self._plan) if child else None
        self._programs = _missing_programs(self._loaded, self._plan) if check_targets else ()

    @property
    def draft(self) -> Plan | None:
        """What the plan will be if nothing more is found wrong; None where the file is too wrong for one."""
        return self._plan

    def finish(self) -> Plan:
        """The plan. Raises WorkflowError with everything that is wrong with the file and with its targets."""
        from mprun.planning.check.conversions import with_conversion

        found = [*self._loaded.diagnostics, *self._programs, *(self._check.diagnostics() if self._check else ())]
        if found or self._plan is None:
            from mprun.loading.mistakes import in_order

            raise WorkflowError(in_order(found, self._loaded.file))
        plan = replace(self._plan, secrets=Secrets(self._loaded.secrets))
        if self._check is None:
            return plan
        return replace(with_conversion(plan, self._check.converting), code=self._check.code)

    def close(self) -> None:
        """End the check if it is still under way."""
        if self._check is not None:
            self._check.close()


def prepare(file: str, given: GivenParams = GivenParams(), *, check_targets: bool = True) -> Plan:  # noqa: B008 -- frozen
    """The plan of the workflow `file` with the parameters `given`. Raises WorkflowError."""
    return Preparation(file, given, check_targets=check_targets).finish()


def _plan_of(loaded: Loaded) -> Plan | None:
    """A plan of what is right about the file, so that its targets can be checked whatever else is wrong."""
    from mprun.planning.build.plan import build

    if loaded.workflow is None:
        return None
    return build(loaded.files)


def _missing_programs(loaded: Loaded, plan: Plan | None) -> tuple[Diagnostic, ...]:
    if plan is None or loaded.workflow is None or not any(step.command for step in plan.steps):
        return ()
    from mprun.planning.check.programs import program_mistakes

    return tuple(program_mistakes(plan, loaded.workflow, loaded.places, os.environ))


def _check_of(child: CheckChild, loaded: Loaded, plan: Plan | None) -> TargetCheck | None:
    from mprun.planning.check.targets import TargetCheck

    if plan is None or loaded.workflow is None:
        child.kill()
        return None
    return TargetCheck(child, plan, loaded.workflow, loaded.places, _allowed(loaded, loaded.workflow))


def _allowed(loaded: Loaded, workflow: Workflow) -> Allowed:
    """What each step may call by the file that it stands in; what is shared is made by the main one's targets."""
    found = [((group, name), file) for file in loaded.files for group, name, _ in file.workflow.steps]
    found += [(("shared", name), loaded.files[-1]) for name in workflow.shared]
    return {path: file.allowed for path, file in found}
