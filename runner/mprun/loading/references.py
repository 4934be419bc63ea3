"""`${…}` in values: this version has no references; `$${` writes a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mprun.loading.mistakes import Mistake, short
from mprun.models.workflow import is_extension
from mprun.places import Path

_REFERENCE = re.compile(r"(?<!\$)\$\{[^}]*\}?")


def reference_mistakes(data: dict[Any, Any]) -> Iterator[Mistake]:
    """A mistake for each text that holds a reference, wherever it stands."""
    for path, text in _texts({key: value for key, value in data.items() if not is_extension(key)}):
        found = _REFERENCE.search(text)
        if found:
            reference = found.group()
            message = f"`{short(reference)}` is a reference, which this version of mprun does not have"
            yield Mistake("reference", message, path, near=reference, advice="`$${` writes a literal `${`")


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text with a `${`; as deep as a file can nest, which is limited."""
    if isinstance(value, str):
        if "${" in value:
            yield path, value
        return
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        if isinstance(item, str | list | dict):
            yield from _texts(item, (*path, key))
