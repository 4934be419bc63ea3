"""The JSON Schema (draft-07) of a workflow file, generated from the models.

A schema can't check the following, which only loading finds:

- Names after `needs` and in references exist, and make no cycle. Nothing needs a daemon.
- A name is used once in `processes` and `pools` together.
- A target is well formed. Files and folders exist. `retries.on` names exceptions.
- Limits neither contradict one another, nor have no effect, nor exceed the engine `stdlib`.
- A `range` has a step other than 0, and can be counted. A `matrix` and a `zip` have something to combine.
- A key of `kwargs` is a Python name. `1.0` is not a whole number. A number of `env` arrives as it is written.
- A duration as text is at most 7 days. Memory as text is at least 1M.
- A reference stands where it may stand. Included files are valid.
- YAML itself is right: duplicate keys, tags, aliases, size.
"""

from __future__ import annotations

import json
from typing import Any

from mprun.format.workflow import Workflow

# Defaults that only mean "not given". An editor must not offer them as values.
_LEFT_OUT = ("null", '""', "[]", "{}", "0", "0.0")

# Keywords that describe a value and don't restrict it.
_ABOUT = ("title", "description", "default")
_REFERENCE = {"type": "string", "pattern": r"\$\{(params|env)\."}

DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def workflow_schema() -> dict[str, Any]:
    """Return the schema of a workflow file as JSON data."""
    schema = draft07(Workflow.model_json_schema(mode="validation"))
    for level in (schema, *schema["definitions"].values()):
        for key in level["properties"].values():
            if "default" in key and json.dumps(key["default"]) in _LEFT_OUT:
                del key["default"]
        level["properties"] = {name: with_references(key) for name, key in level["properties"].items()}
        if isinstance(level.get("additionalProperties"), dict):
            level["additionalProperties"] = with_references(level["additionalProperties"])
    return {**schema, "title": "An mprun workflow"}


def with_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that also accepts a text with a reference to something known before the start.

    The same holds for the parts of lists and mappings. A schema that only mappings match, or any text, stays as it is,
    because no parameter is a mapping.
    """
    inner = {key: value for key, value in schema.items() if key not in _ABOUT}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), dict):
            inner[key] = with_references(inner[key])
    for key in _LISTS:
        if key in inner:
            inner[key] = [_inside(part) for part in inner[key]]
    about = {key: value for key, value in schema.items() if key in _ABOUT}
    if _takes_any_text(inner) or _is_mapping(inner):
        return {**about, **inner}
    return {**about, "anyOf": [inner, _REFERENCE]}


def _inside(part: Any) -> Any:
    """Return one of several shapes. The reference stands beside all of them, and inside lists."""
    if isinstance(part, dict) and isinstance(part.get("items"), dict):
        return {**part, "items": with_references(part["items"])}
    return part


def _takes_any_text(schema: dict[str, Any]) -> bool:
    types = schema.get("type", ())
    is_text = types == "string" or (isinstance(types, list) and "string" in types)
    return not schema or (is_text and not schema.keys() & {"pattern", "enum", "const"})


def _is_mapping(schema: dict[str, Any]) -> bool:
    refers_only = schema.keys() in ({"$ref"}, {"allOf"})
    return refers_only or schema.get("type") == "object"


def draft07(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a 2020-12 schema, as Pydantic generates it, as a draft-07 schema with the same meaning."""
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
    """Return the schema with the older names of the keywords."""
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
    """Move a `$ref` with neighbours into `allOf`: draft-07 ignores everything beside a `$ref`."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    others = {key: value for key, value in schema.items() if key != "$ref"}
    return {**others, "allOf": [*others.get("allOf", []), {"$ref": schema["$ref"]}]}
