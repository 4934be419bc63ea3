"""The things that children share, as they are written. Rules check them, because their messages are better."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

from mprun.sharing.kinds import KINDS, MMAP_MODES, TYPECODES

_SIZE: dict[str, Any] = {"type": "integer", "minimum": 0}
_NOTHING: dict[str, Any] = {"type": "array", "maxItems": 0}
_FROM_1: dict[str, Any] = {"type": "integer", "minimum": 1}
_TYPED: dict[str, Any] = {"type": "array", "minItems": 1, "items": [{"enum": TYPECODES}], "maxItems": 2}
_SHAPE: dict[str, Any] = {"anyOf": [_SIZE, {"type": "array", "items": _SIZE}]}

_ARGUMENTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("Semaphore", "BoundedSemaphore"), _SIZE),
    **dict.fromkeys(("Barrier", "Queue", "JoinableQueue"), _FROM_1),
    **dict.fromkeys(("Value", "Array"), _TYPED),
    "Pipe": {"type": "boolean"},
    "dict": {"type": "object"},
    "list": {"type": "array"},
    "array": {
        "oneOf": [
            {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "minLength": 1}, "mmap_mode": {"enum": MMAP_MODES}},
            },
            {
                "type": "object",
                "required": ["shape", "dtype"],
                "properties": {"shape": _SHAPE, "dtype": {"type": "string"}},
            },
        ]
    },
    "object": {
        "type": "object",
        "required": ["call"],
        "properties": {
            "call": {"type": "string", "minLength": 1},
            "args": {"type": "array"},
            "kwargs": {"type": "object"},
        },
        "additionalProperties": False,
    },
}


def _described(kind: str) -> dict[str, Any]:
    arguments = _ARGUMENTS.get(kind, _NOTHING)
    forms = [arguments, _NOTHING] if KINDS[kind].bare and arguments is not _NOTHING else [arguments]
    schema = {"anyOf": forms} if len(forms) > 1 else dict(arguments)
    return {**schema, "description": f"Takes {KINDS[kind].takes}."}


_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": [kind for kind in KINDS if KINDS[kind].bare]},
        {
            "type": "object",
            "properties": {
                **{kind: _described(kind) for kind in KINDS},
                "abandoned": {
                    "enum": ["fail", "ignore"],
                    "description": "What becomes of a step whose children wait for it forever.",
                },
            },
            "additionalProperties": False,
            "oneOf": [{"required": [kind]} for kind in KINDS],
        },
    ],
    "description": "Lock, Queue, Value and so on: the kind alone, or with its arguments.",
}

SharedThing = Annotated[Any, WithJsonSchema(_SCHEMA)]
