"""`mprun schema`: the JSON Schema of workflows or of events, or the page that describes their keys."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode


class SchemaName(StrEnum):
    workflow = "workflow"
    event = "event"


def command(
    name: Annotated[SchemaName, typer.Argument(help="Which schema.", show_default=False)],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The page that describes each key.")] = False,
) -> ExitCode:
    """Print the JSON Schema of workflows or of events."""
    show(_page(name) if as_markdown else json.dumps(_schema(name), ensure_ascii=False, indent=2) + "\n")
    return ExitCode.SUCCEEDED


def _page(name: SchemaName) -> str:
    if name == SchemaName.workflow:
        from mprun.format.reference import keys_reference

        return keys_reference()
    from mprun.log.schema.reference import event_reference

    return event_reference()


def _schema(name: SchemaName) -> dict[str, Any]:
    if name == SchemaName.workflow:
        from mprun.format.schema import workflow_schema

        return workflow_schema()
    from mprun.log.schema.events import event_schema

    return event_schema()
