"""From a workflow file to a plan that can start, in stages, while a child checks its targets."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mprun.errors.exceptions import Diagnostic, WorkflowError
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.stages import Output, Stage, run_stages
from mprun.log.masking import Secrets
from mprun.plan.plan import Plan
from mprun.planning.check.child import CheckChild

if TYPE_CHECKING:
    from mprun.format.workflow import Workflow
    from mprun.loading.load import Loaded
    from mprun.planning.check.targets import Allowed, TargetCheck


class Draft(NamedTuple):
    """A loaded file, and the plan of its sound part, whose targets can be checked whatever else is wrong."""

    loaded: Loaded
    workflow: Workflow
    plan: Plan


class Preparation:
    """Turns a file into a plan. A child checks the targets while the caller does something else.

    Raises UsageError if the environment's limit for imports is not a valid time.
    """

    def __init__(self, file: str, inputs: ParamInputs = ParamInputs(), *, check_targets: bool = True) -> None:  # noqa: B008 -- frozen
        # Started first: it boots while this process imports the loader and reads the file.
        child = CheckChild() if check_targets else None
        stages: tuple[Stage, ...] = (_load, _build, _find_programs) if check_targets else (_load, _build)
        self._file = file
        prepared: Output[Draft | None, Diagnostic] = run_stages(stages, (file, inputs))
        self._draft, self._found = prepared
        self._check = _start_check(child, self._draft) if child else None

    @property
    def draft(self) -> Plan | None:
        """Return the plan, unless more mistakes are found; None if the file has too many mistakes for a plan."""
        return None if self._draft is None else self._draft.plan

    def finish(self) -> Plan:
        """Return the plan. Raises WorkflowError with all mistakes in the file and in its targets."""
        found = [*self._found, *(self._check.diagnostics() if self._check else ())]
        if found or self._draft is None:
            from mprun.loading.mistakes import in_order

            raise WorkflowError(in_order(found, self._file))
        return self._checked(self._draft)

    def _checked(self, draft: Draft) -> Plan:
        from mprun.planning.check.conversions import with_conversion

        plan = replace(draft.plan, secrets=Secrets(draft.loaded.secrets))
        if self._check is None:
            return plan
        return replace(with_conversion(plan, self._check.converting), code=self._check.code)

    def close(self) -> None:
        """End the check if it is still running."""
        if self._check is not None:
            self._check.close()


def prepare(file: str, inputs: ParamInputs = ParamInputs(), *, check_targets: bool = True) -> Plan:  # noqa: B008 -- frozen
    """Return the plan of the workflow `file` with the parameters `inputs`. Raises WorkflowError."""
    return Preparation(file, inputs, check_targets=check_targets).finish()


def _load(source: tuple[str, ParamInputs]) -> Output[Loaded, Diagnostic]:
    from mprun.loading.load import load

    loaded = load(*source)
    return Output(loaded, loaded.diagnostics)


def _build(loaded: Loaded) -> Output[Draft | None, Diagnostic]:
    from mprun.planning.build.plan import build

    workflow = loaded.workflow
    return Output(None if workflow is None else Draft(loaded, workflow, build(loaded.files)))


def _find_programs(draft: Draft) -> Output[Draft, Diagnostic]:
    if not any(step.command for step in draft.plan.steps):
        return Output(draft)
    from mprun.planning.check.programs import program_mistakes

    return Output(draft, tuple(program_mistakes(draft.plan, draft.workflow, draft.loaded.places, os.environ)))


def _start_check(child: CheckChild, draft: Draft | None) -> TargetCheck | None:
    from mprun.planning.check.targets import TargetCheck

    if draft is None:
        child.kill()
        return None
    loaded, workflow, plan = draft
    return TargetCheck(child, plan, workflow, loaded.places, _allowed(loaded, workflow))


def _allowed(loaded: Loaded, workflow: Workflow) -> Allowed:
    """Return what each step may call, by the file that declares it. The main file decides for shared things."""
    found = [((group, name), file) for file in loaded.files for group, name, _ in file.workflow.steps]
    found += [(("shared", name), loaded.files[-1]) for name in workflow.shared]
    return {path: file.allowed for path, file in found}
