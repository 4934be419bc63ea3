"""The parameters of a workflow: what is declared held against what is given, and the value of each."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mprun.errors.exceptions import Diagnostic, Place
from mprun.errors.places import Path
from mprun.format.params import ParamEntry
from mprun.format.values import read_param
from mprun.language.references import variable_name
from mprun.loading.mistakes import Mistake, short
from mprun.loading.params.inputs import Given, GivenParams
from mprun.loading.params.values import (
    BOUNDED,
    WITH_PATTERN,
    ParamError,
    bound,
    read_value,
    type_of,
    typed_choice,
)
from mprun.loading.suggestions import did_you_mean, suggest

Data = dict[Any, Any]


@dataclass(slots=True)
class Params:
    """What is known of the parameters: `values` by name, `secrets` apart from them, and all that is wrong.

    `broken` are names that are declared and have no value for a mistake that was told.
    """

    values: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [*self.values, *self.secrets, *self.broken]


def read_params(declared: Any, given: GivenParams, substituted: Container[Path] = ()) -> Params:
    """The parameters of a file whose `params` is `declared`; what is wrong with its form is the models' to tell.

    `substituted` are the paths at which the value of a variable was put in, which is text.
    """
    params = Params()
    for name, entry in declared.items() if isinstance(declared, Mapping) else ():
        read = _entry(entry)
        if read is None or not isinstance(name, str):
            params.broken.add(str(name))
            continue
        if ("params", name, "default") in substituted:
            read = _with_default_from_text(read)
        mistakes = list(_declaration_mistakes(name, read))
        params.mistakes += mistakes
        if mistakes:
            params.broken.add(name)
        else:
            _settle(params, name, read, given)
    params.diagnostics += _unknown(params.names, given)
    return params


def _entry(written: Any) -> ParamEntry | None:
    try:
        return ParamEntry.model_validate(read_param(written))
    except ValidationError:
        return None


def _with_default_from_text(entry: ParamEntry) -> ParamEntry:
    """The entry with its default read as text from outside is; left as it is where that fails, which is told later."""
    try:
        return entry.model_copy(update={"default": read_value(entry, entry.default, is_text=True)})
    except ParamError:
        return entry


def _settle(params: Params, name: str, entry: ParamEntry, every: GivenParams) -> None:
    """Book the parameter's value: the one given, else the default."""
    given = every.of(name) or every.of(variable_name(name))
    try:
        if given is not None:
            value = read_value(entry, given.value, is_text=given.is_text, folder=every.folder)
        elif "default" in entry.model_fields_set:
            value = read_value(entry, entry.default, is_text=False)
        elif entry.required is False:
            value = None
        else:
            raise ParamError("has no value")
    except ParamError as error:
        params.broken.add(name)
        if given is not None:
            params.diagnostics.append(_wrong_value(name, entry, given, error))
        elif not _has_default(entry):
            params.diagnostics.append(_missing(name, entry, every.place))
        return
    if entry.secret and value is not None:
        params.secrets[name] = value
    else:
        params.values[name] = value


def _has_default(entry: ParamEntry) -> bool:
    return "default" in entry.model_fields_set


def _missing(name: str, entry: ParamEntry, included_at: Place | None) -> Diagnostic:
    advice = f"give it: `-p {name}=…`, `--params FILE`, or the variable {variable_name(name)}"
    if included_at is not None and not entry.secret:
        advice = f"give it: `{{file: …, params: {{{name}: …}}}}`"
    about = (entry.description,) if entry.description else ()
    return Diagnostic("missing-param", f"the parameter `{name}` has no value", included_at, advice, about)


def _wrong_value(name: str, entry: ParamEntry, given: Given, error: ParamError) -> Diagnostic:
    told = f"the parameter `{name}` {_without_value(error, entry)}"
    place = None if entry.secret else given.place  # which is shown with its line
    return Diagnostic("bad-param", told, place, error.advice, source=given.source)


def _without_value(error: ParamError, entry: ParamEntry) -> str:
    """What is wrong; of a secret without the value that was given."""
    return str(error).partition(", not ")[0] if entry.secret else str(error)


def _unknown(names: list[str], given: GivenParams) -> Iterator[Diagnostic]:
    """Given, and not declared. A variable may be meant for another workflow."""
    for value in given.values:
        if value.name not in names and not value.source.startswith("the variable"):
            advice = did_you_mean(suggest(value.name, names))
            known = ", ".join(sorted(names)) if names else "none"
            notes = () if advice else (f"the workflow's parameters: {known}",)
            told = f"there is no parameter `{short(value.name)}`"
            yield Diagnostic("unknown-param", told, value.place, advice, notes, value.source)


def _declaration_mistakes(name: str, entry: ParamEntry) -> Iterator[Mistake]:
    path, kind = ("params", name), type_of(entry)
    yield from _useless_keys(entry, path, kind)
    if entry.secret:
        yield from _secret_mistakes(entry, path, kind)
    if kind == "enum" and not entry.choices:
        yield Mistake("missing-key", f"the enum `{name}` has no `choices`", path, "key", "add `choices: […]`")
    if entry.required is True and _has_default(entry):
        told = f"`{name}` is required, so its default is never used"
        yield Mistake("no-effect", told, (*path, "required"), "key", "remove one of the two")
    if entry.pattern and not _is_regex(entry.pattern):
        yield Mistake("bad-value", f"`{short(entry.pattern)}` is no regular expression", (*path, "pattern"))
        return
    if wrong := list(_choice_mistakes(name, entry, path)):
        yield from wrong
        return
    yield from _bound_mistakes(name, entry, path, kind)
    if _has_default(entry) and not entry.secret:
        yield from _default_mistakes(name, entry, path)


def _useless_keys(entry: ParamEntry, path: tuple[str, str], kind: str) -> Iterator[Mistake]:
    for keys, kinds in ((("minimum", "maximum"), BOUNDED), (("pattern",), WITH_PATTERN), (("items",), ("list",))):
        for key in keys:
            if key in entry.model_fields_set and kind not in kinds:
                takers = ", ".join(f"`{each}`" for each in kinds)
                told = f"`{key}` is for {takers}, and `{path[1]}` is of type `{kind}`"
                yield Mistake("no-effect", told, (*path, key), "key")


def _secret_mistakes(entry: ParamEntry, path: tuple[str, str], kind: str) -> Iterator[Mistake]:
    if kind != "str":
        yield Mistake("secret", f"a secret is text, and `{path[1]}` is of type `{kind}`", (*path, "secret"), "key")
    if _has_default(entry):
        told = "a secret has no default: everybody who can read the file could read it"
        yield Mistake("secret", told, (*path, "default"), "key", f"give it by the variable {variable_name(path[1])}")


def _choice_mistakes(name: str, entry: ParamEntry, path: tuple[str, str]) -> Iterator[Mistake]:
    for index, choice in enumerate(entry.choices):
        try:
            typed_choice(entry, choice)
        except ParamError as error:
            yield Mistake("bad-value", f"a choice of `{name}` {error}", (*path, "choices", index), advice=error.advice)


def _bound_mistakes(name: str, entry: ParamEntry, path: tuple[str, str], kind: str) -> Iterator[Mistake]:
    bounds: dict[str, Any] = {}
    for key in ("minimum", "maximum") if kind in BOUNDED else ():
        try:
            bounds[key] = bound(entry, key)
        except ParamError as error:
            yield Mistake("bad-value", f"`{key}` of `{name}` {error}", (*path, key), advice=error.advice)
            return
    least, most = bounds.get("minimum"), bounds.get("maximum")
    if least is not None and most is not None and least > most:
        told = f"the `minimum` of `{name}` is above its `maximum`: no value fits"
        yield Mistake("bad-value", told, (*path, "minimum"))


def _default_mistakes(name: str, entry: ParamEntry, path: tuple[str, str]) -> Iterator[Mistake]:
    try:
        read_value(entry, entry.default, is_text=False)
    except ParamError as error:
        written = (*path, "default")
        yield Mistake("bad-value", f"the default of `{name}` {error}", written, advice=error.advice)


def _is_regex(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
