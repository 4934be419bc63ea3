"""The events of a log as a page for people, generated from the models: `docs/events.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mprun.log.schema.events import event_schema
from mprun.log.words import LOG_FORMAT

Schema = dict[str, Any]

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "array": "list"}
_EVERYWHERE = ("seq", "ts", "event")  # listed once


def event_reference() -> str:
    """Return the page in Markdown."""
    schema = event_schema()
    forms = [schema["definitions"][branch["$ref"].rpartition("/")[2]] for branch in schema["oneOf"]]
    return (
        "\n".join([*_opening(forms[0]), *(line for form in forms for line in _event(form, schema["definitions"]))])
        + "\n"
    )


def _opening(form: Schema) -> Iterator[str]:
    yield "# The events of a log"
    yield ""
    yield f"*Log format {LOG_FORMAT}. `mprun schema event --markdown` makes this page of what the schema is made of.*"
    yield ""
    yield "[The event log](event-log.md) says what they are for. Every event has these keys:"
    yield ""
    yield from _table(form, {}, _EVERYWHERE[:2])
    yield "| `event` | text | always | What happened: one of the names below. |"


def _event(form: Schema, definitions: Schema) -> Iterator[str]:
    keys = tuple(key for key in form["properties"] if key not in _EVERYWHERE)
    yield ""
    yield f"## `{form['properties']['event']['const']}`"
    yield ""
    yield " ".join(form["description"].split())
    if keys:
        yield ""
        yield from _table(form, definitions, keys)
    if "allOf" in form:
        yield ""
        yield from _by_outcome(form)


def _table(form: Schema, definitions: Schema, keys: tuple[str, ...]) -> Iterator[str]:
    yield "| key | value | there | meaning |"
    yield "|---|---|---|---|"
    for key in keys:
        schema = form["properties"][key]
        there = "always" if key in form["required"] else "where it applies"
        yield f"| `{key}` | {_type(schema, definitions)} | {there} | {_cell(schema['description'])} |"


def _by_outcome(form: Schema) -> Iterator[str]:
    """Yield the table of the keys that an attempt has, by its outcome."""
    yield "| outcome | has |"
    yield "|---|---|"
    for condition in form["allOf"]:
        outcome = condition["if"]["properties"]["outcome"]["const"]
        yield f"| `{outcome}` | {', '.join(f'`{key}`' for key in condition['then']['required'])} |"


def _type(schema: Schema, definitions: Schema) -> str:
    if "allOf" in schema:
        return _type(schema["allOf"][0], definitions)
    if "$ref" in schema:
        keys = definitions[schema["$ref"].rpartition("/")[2]]["properties"]
        return f"object: {', '.join(f'`{key}`' for key in keys)}"
    if "anyOf" in schema:
        return " or ".join(_type(form, definitions) for form in schema["anyOf"])
    if "const" in schema:
        return "true" if schema["const"] is True else f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return _plain(schema, definitions)


def _plain(schema: Schema, definitions: Schema) -> str:
    kind = schema.get("type", "")
    if kind == "array" and "items" in schema:
        return f"list of {_type(schema['items'], definitions)}"
    return _TYPES.get(kind, "null" if kind == "null" else "object" if kind == "object" else "any JSON")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
