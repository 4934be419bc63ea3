"""The JSON Schema (draft-07) of a workflow file, generated from the models.

What it can't say, and only loading finds: that names after `needs` exist and make no cycle, that a name is used once in
`processes` and `pools` together, that nothing needs a daemon, that a target is well formed, that files and folders
exist, what `retries.on` names, which limits contradict one another, have no effect or are beyond the engine `stdlib`,
that a `range` has a step other than 0 and can be counted, that a key of `kwargs` is a Python name, that `1.0` is no
whole number, that a duration as text is at most 7 days, that memory as text is at least 1M, that a number of `env`
arrives as it is written, that there is no `${…}`, and everything about YAML itself (duplicate keys, tags, aliases,
size).
"""

from __future__ import annotations

import json
from typing import Any

from mprun.models.workflow import Workflow

# Defaults that only mean "left out": an editor must not offer them as something to write.
_LEFT_OUT = ("null", '""', "[]", "{}", "0", "0.0")

DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def workflow_schema() -> dict[str, Any]:
    """The schema of a workflow file, as JSON data."""
    schema = draft07(Workflow.model_json_schema(mode="validation"))
    for level in (schema, *schema["definitions"].values()):
        for key in level["properties"].values():
            if "default" in key and json.dumps(key["default"]) in _LEFT_OUT:
                del key["default"]
    return {**schema, "title": "An mprun workflow"}


def draft07(schema: dict[str, Any]) -> dict[str, Any]:
    """A 2020-12 schema, as Pydantic generates it, as a draft-07 schema: the same meaning in the older words."""
    return {"$schema": DRAFT_07, **_rewrite_schema(schema)}


# Keywords whose values are schemas by name, lists of schemas, or one schema; everything else is data.
_NAMED = ("properties", "patternProperties", "definitions")
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("additionalProperties", "additionalItems", "propertyNames", "items", "not", "contains", "if", "then", "else")


def _rewrite_schema(schema: Any) -> Any:
    if not isinstance(schema, dict):  # true or false
        return schema
    renamed = _rename(schema)
    for key, value in renamed.items():
        if key in _NAMED:
            renamed[key] = {name: _rewrite_schema(part) for name, part in value.items()}
        elif key in _LISTS or (key == "items" and isinstance(value, list)):
            renamed[key] = [_rewrite_schema(part) for part in value]
        elif key in _SINGLE:
            renamed[key] = _rewrite_schema(value)
    return _wrap_ref(renamed)


def _rename(schema: dict[str, Any]) -> dict[str, Any]:
    """The keywords' older names."""
    schema = dict(schema)
    if "prefixItems" in schema:
        schema = {**schema, "items": schema["prefixItems"], "additionalItems": schema.get("items", True)}
        del schema["prefixItems"]
    if "$defs" in schema:
        schema["definitions"] = schema.pop("$defs")
    if "$ref" in schema:
        schema["$ref"] = schema["$ref"].replace("#/$defs/", "#/definitions/")
    return schema


def _wrap_ref(schema: dict[str, Any]) -> dict[str, Any]:
    """Draft-07 ignores whatever stands beside a `$ref`."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    others = {key: value for key, value in schema.items() if key != "$ref"}
    return {**others, "allOf": [*others.get("allOf", []), {"$ref": schema["$ref"]}]}
