"""The words of each key of a workflow file. They stand at the key's field in the model, and nowhere else.

Error messages, suggestions and docs/keys.md read them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import Field
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Takes:
    """What a type takes, in words that complete "it takes". Metadata of the type, for all keys of that type."""

    words: str


@dataclass(frozen=True, slots=True)
class Key:
    """Metadata of a field.

    `example` is a value as YAML. `takes` is more precise than the words of the type. `also` are the names that other
    tools have for the key. `also_with_a_number` are names that mean the key only if a number follows: `jobs: 4` names
    no steps. `since` is the first version of mprun with the key.
    """

    example: str
    takes: str
    also: tuple[str, ...]
    also_with_a_number: tuple[str, ...]
    since: str


def key(
    default: Any,
    description: str,
    *,
    example: str,
    takes: str = "",
    also: tuple[str, ...] = (),
    also_with_a_number: tuple[str, ...] = (),
    since: str = "0.1",
    **options: Any,
) -> Any:
    """Return a field of a model, with its Key. `options` are passed to Pydantic's `Field`."""
    field = Field(default, description=description, **options)
    field.metadata.append(Key(example, takes, also, also_with_a_number, since))
    return field


def key_of(field: FieldInfo) -> Key:
    return next(each for each in field.metadata if isinstance(each, Key))


def takes_of(field: FieldInfo) -> str:
    """Return what the key of `field` takes, in words: its own, those of its type, or those that follow from the
    type."""
    return key_of(field).takes or next(_words(field.metadata), "") or _words_of(field.annotation)


def _words(metadata: Any) -> Iterator[str]:
    return (each.words for each in metadata if isinstance(each, Takes))


_PLAIN = {str: "text", bool: "`true` or `false`", list: "a list"}


def _words_of(annotation: Any) -> str:
    """Return what an annotation takes, in words. `A | None` is a key that may be missing, and takes what A takes."""
    if get_origin(annotation) is Literal:
        return _one_of(get_args(annotation))
    if annotation in _PLAIN or get_origin(annotation) in _PLAIN:
        return _PLAIN[get_origin(annotation) or annotation]
    inner = get_args(annotation)[0]
    return next(_words(getattr(annotation, "__metadata__", ())), "") or _words_of(inner)


def _one_of(values: tuple[str, ...]) -> str:
    *others, last = [f"`{value}`" for value in values]
    return f"{', '.join(others)} or {last}"
