"""The commands that look and start nothing: validate, plan, graph, params, schema."""

from __future__ import annotations

from collections.abc import Sequence

from mprun.cli.output import show
from mprun.errors.exceptions import Diagnostic, ExitCode, UsageError, WorkflowError
from mprun.loading.params.inputs import GivenParams
from mprun.loading.prepare import prepare


def validate_files(files: Sequence[str], given: GivenParams, *, check_targets: bool) -> ExitCode:
    """Check each file; tell the good ones on stdout. Raises WorkflowError with the mistakes of all of them."""
    found: list[Diagnostic] = []
    for file in files:
        try:
            plan = prepare(file, given, check_targets=check_targets)
        except WorkflowError as error:
            found += error.diagnostics
        else:
            steps = len(plan.steps)
            show(f"{file}: ok ({steps} step{'' if steps == 1 else 's'})\n")
    if found:
        raise WorkflowError(tuple(found))
    return ExitCode.SUCCEEDED


def show_plan(
    file: str,
    given: GivenParams,
    *,
    as_json: bool,
    as_python: bool,
    only: Sequence[str] | None,
    first: int | None,
    check_targets: bool,
) -> None:
    """Print the plan of `file` as a table, as JSON or as a Python program. Raises WorkflowError, UsageError."""
    if as_json and as_python:
        raise UsageError("`--json` and `--python` are two forms of the same plan: give one of them")
    plan = prepare(file, given, check_targets=check_targets)
    if only or first is not None:
        from mprun.planning.only import narrowed

        plan = narrowed(plan, only or (), first)
    if as_json:
        from mprun.plan.plan import plan_json

        show(plan_json(plan))
    elif as_python:
        from mprun.planning.script import python_script

        show(python_script(plan, checked=check_targets))
    else:
        from mprun.planning.show.table import describe

        show(describe(plan))


def show_graph(file: str, given: GivenParams, form: str) -> None:
    """Print which step of `file` waits for which, in one of planning.graph.FORMATS. Raises WorkflowError."""
    from mprun.planning.show.graph import FORMATS

    show(FORMATS[form](prepare(file, given, check_targets=False)))


def show_params(file: str) -> None:
    """Print what parameters the workflow `file` has. Raises WorkflowError."""
    from mprun.loading.params.listing import list_params

    show(list_params(file))


def show_schema(name: str, *, as_markdown: bool) -> None:
    """Print the schema called `name` (`workflow` or `event`), or the page that describes it. Raises UsageError."""
    import json

    from mprun.format.schema import workflow_schema
    from mprun.log.schema.events import event_schema

    if as_markdown:
        if name != "event":
            raise UsageError("`--markdown` is for events: a workflow's keys are described in its schema")
        from mprun.log.schema.reference import event_reference

        show(event_reference())
        return
    schema = workflow_schema() if name == "workflow" else event_schema()
    show(json.dumps(schema, ensure_ascii=False, indent=2) + "\n")
