"""`mprun plan`: what a workflow would start, as a table, as JSON or as a Python program."""

from __future__ import annotations

from typing import Annotated

import typer

from mprun.cli.options import First, NoImport, Only, Param, ParamsFile, WorkflowFile, read_params
from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.loading.prepare import prepare
from mprun.plan.plan import Plan


def command(
    file: WorkflowFile,
    param: Param = None,
    params: ParamsFile = "",
    as_json: Annotated[bool, typer.Option("--json", help="The whole plan as JSON.")] = False,
    as_python: Annotated[
        bool, typer.Option("--python", help="The plain multiprocessing program that does the same work.")
    ] = False,
    only: Only = None,
    first: First = None,
    no_import: NoImport = False,
) -> ExitCode:
    """Show what a workflow would start, and in which order."""
    inputs = read_params(param, params)
    if as_json and as_python:
        raise UsageError("`--json` and `--python` are two forms of the same plan: give one of them")
    plan = prepare(file, inputs, check_targets=not no_import)
    if only or first is not None:
        from mprun.planning.only import narrowed

        plan = narrowed(plan, only or (), first)
    show(_text(plan, as_json=as_json, as_python=as_python, checked=not no_import))
    return ExitCode.SUCCEEDED


def _text(plan: Plan, *, as_json: bool, as_python: bool, checked: bool) -> str:
    """Return the plan in the form that the options select. Each form is imported only when it is needed."""
    if as_json:
        from mprun.plan.plan import plan_json

        return plan_json(plan)
    if as_python:
        from mprun.planning.eject.script import python_script

        return python_script(plan, checked=checked)
    from mprun.planning.show.table import describe

    return describe(plan)
