"""The keys of a workflow file as a page for people, generated from the models: `docs/keys.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from mprun.format.keys import key_of
from mprun.format.levels import LEVELS, Level

_LEFT_OUT: tuple[Any, ...] = (None, "", 0, [], {})


def keys_reference() -> str:
    """Return the page in Markdown."""
    return "\n".join([*_opening(), *(line for level in LEVELS for line in _level(level))]) + "\n"


def _opening() -> Iterator[str]:
    yield "# The keys of a workflow file"
    yield ""
    yield "*`mprun schema workflow --markdown` makes this page from the models that read the file.*"
    yield ""
    yield "[The format by examples](format.md) shows how the keys work together. A key may be left out unless it is"
    yield 'required. "Since" is the first version of mprun that has the key.'
    yield ""
    yield from (f"- [{_heading(level)}](#{_anchor(level)}): {level.where}" for level in LEVELS)


def _level(level: Level) -> Iterator[str]:
    yield ""
    yield f"## {_heading(level)}"
    yield ""
    yield f"{_cell(level.model.__doc__ or '')} Stands {level.where}."
    yield ""
    yield "| key | meaning | takes | default | example | since |"
    yield "|---|---|---|---|---|---|"
    for name, field in level.fields.items():
        key = key_of(field)
        cells = (f"`{name}`", _cell(field.description or ""), _cell(level.takes(name)), _default(field))
        yield f"| {' | '.join(cells)} | `{_cell(f'{name}: {key.example}')}` | {key.since} |"
    yield from _also(level)


def _also(level: Level) -> Iterator[str]:
    """Yield the names that other tools have for the keys, for readers who search the page for them."""
    words = {name: key_of(field).also for name, field in level.fields.items() if key_of(field).also}
    if words:
        yield ""
        yield "What other tools call them:"
        yield ""
        yield from (f"- `{name}`: {', '.join(words[name])}" for name in words)


def _heading(level: Level) -> str:
    return level.name[0].upper() + level.name[1:]


def _anchor(level: Level) -> str:
    """Return the anchor that GitHub derives from the heading."""
    return level.name.replace("`", "").replace(" ", "-")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value in _LEFT_OUT or hasattr(value, "model_fields_set"):
        return ""
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    """Return a default as a workflow has it. Durations are the only numbers with a decimal point."""
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    return f"{value:g}s" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
