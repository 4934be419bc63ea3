"""The stage that finds the value of each parameter, from its declaration and from the inputs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mprun.errors.exceptions import Diagnostic, Place
from mprun.errors.places import Path
from mprun.format.params import ParamEntry
from mprun.format.values import read_param
from mprun.language.references import variable_name
from mprun.loading.mistakes import Found, Mistake, short
from mprun.loading.params.inputs import OF_RUN, OF_VARIABLE, ParamInput, ParamInputs
from mprun.loading.params.values import (
    BOUNDED,
    WITH_PATTERN,
    ParamError,
    bound,
    read_value,
    type_of,
    typed_choice,
)
from mprun.loading.references.substitute import substitute_part
from mprun.loading.source_files import FileOutput, Params, Request, SourceFile
from mprun.loading.stages import Output
from mprun.loading.suggestions import did_you_mean, suggest


class _Reading:
    """The parameters while they are read one by one."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}
        self.broken: set[str] = set()
        self.mistakes: list[Mistake] = []
        self.diagnostics: list[Diagnostic] = []

    @property
    def params(self) -> Params:
        return Params(self.values, self.secrets, frozenset(self.broken))


def parameters(file: SourceFile) -> FileOutput:
    """Find the values of the file's parameters. A stage."""
    if not isinstance(file.data, dict):
        return Output(file)
    part = substitute_part(file.data, "params", Params(), file.request.environ)
    data = {**file.data, "params": part.data} if "params" in file.data else file.data
    inputs, refused = _inputs(file.request, part.data)
    reading = _read_params(part.data, inputs, part.written)
    known = file._replace(data=data, params=reading.params)
    marked, found = known.report((*part.mistakes, *reading.mistakes), part.broken)
    return Output(marked, (*found, *(Found(each, file.file) for each in (*refused, *reading.diagnostics))))


def _inputs(request: Request, declared: Any) -> tuple[ParamInputs, list[Diagnostic]]:
    """Return the inputs for `declared` parameters. Secrets come only from the inputs of the run, never from a file."""
    if not request.including:
        return request.inputs, []
    secrets = _declared_secrets(declared)
    known = secrets | {variable_name(name) for name in secrets if isinstance(name, str)}
    refused = [_written_secret(each) for each in request.inputs.values if each.name in secrets]
    values = [each for each in request.inputs.values if each.name not in secrets]
    values += [each for each in request.run_inputs.values if each.name in known]
    return ParamInputs(tuple(values), request.run_inputs.folder, request.inputs.place), refused


def _declared_secrets(declared: Any) -> set[Any]:
    entries = declared.items() if isinstance(declared, dict) else ()
    return {name for name, entry in entries if isinstance(entry, dict) and entry.get("secret") is True}


def _written_secret(value: ParamInput) -> Diagnostic:
    message = f"`{short(value.name)}` is a secret: it is given to the run, not written into a file"
    return Diagnostic("secret", message, value.place)


def _read_params(declared: Any, inputs: ParamInputs, referring: Container[Path] = ()) -> _Reading:
    """Return the parameters of a file whose `params` is `declared`. The models report mistakes in its form.

    `referring` are the paths where the value of an environment variable was put in, which is text.
    """
    reading = _Reading()
    for name, written in declared.items() if isinstance(declared, Mapping) else ():
        entry = _entry(written)
        if entry is None or not isinstance(name, str):
            reading.broken.add(str(name))
            continue
        if ("params", name, "default") in referring:
            entry = _with_default_from_text(entry)
        mistakes = list(_declaration_mistakes(name, entry))
        reading.mistakes += mistakes
        if mistakes:
            reading.broken.add(name)
        else:
            _settle(reading, name, entry, inputs)
    reading.diagnostics += _unknown(reading.params.names, inputs)
    return reading


def _entry(written: Any) -> ParamEntry | None:
    try:
        return ParamEntry.model_validate(read_param(written))
    except ValidationError:
        return None


def _with_default_from_text(entry: ParamEntry) -> ParamEntry:
    """Return the entry with its default parsed like text from outside; unchanged if that fails."""
    try:
        return entry.model_copy(update={"default": read_value(entry, entry.default, is_text=True)})
    except ParamError:
        return entry


def _settle(reading: _Reading, name: str, entry: ParamEntry, inputs: ParamInputs) -> None:
    """Store the parameter's value: that of the inputs, else the default."""
    source = inputs.of(name) or inputs.of(variable_name(name))
    try:
        value = _value(entry, source, inputs.folder)
    except ParamError as error:
        reading.broken.add(name)
        if source is not None:
            reading.diagnostics.append(_wrong_value(name, entry, source, error))
        elif not _has_default(entry):
            reading.diagnostics.append(_missing(name, entry, inputs.place))
        return
    if entry.secret and value is not None:
        reading.secrets[name] = value
    else:
        reading.values[name] = value


def _value(entry: ParamEntry, source: ParamInput | None, folder: str) -> Any:
    """Return the value of the input, else the default. Raises ParamError, also if there is neither."""
    if source is not None:
        return read_value(entry, source.value, is_text=source.is_text, folder=folder)
    if _has_default(entry):
        return read_value(entry, entry.default, is_text=False)
    if entry.required is False:
        return None
    raise ParamError("has no value")


def _has_default(entry: ParamEntry) -> bool:
    return "default" in entry.model_fields_set


def _missing(name: str, entry: ParamEntry, included_at: Place | None) -> Diagnostic:
    advice = f"give it: `-p {name}=…`, `--params FILE`, or the variable {variable_name(name)}"
    if included_at is not None and not entry.secret:
        advice = f"give it: `{{file: …, params: {{{name}: …}}}}`"
    about = (entry.description,) if entry.description else ()
    return Diagnostic("missing-param", f"the parameter `{name}` has no value", included_at, advice, about)


def _wrong_value(name: str, entry: ParamEntry, source: ParamInput, error: ParamError) -> Diagnostic:
    message = f"the parameter `{name}` {_without_value(error, entry)}"
    place = None if entry.secret else source.place  # a place is shown with its line, which has the secret
    return Diagnostic("bad-param", message, place, error.advice, source=source.source)


def _without_value(error: ParamError, entry: ParamEntry) -> str:
    """Return what is wrong. For a secret, the message lacks the value."""
    return str(error).partition(", not ")[0] if entry.secret else str(error)


def _unknown(names: list[str], inputs: ParamInputs) -> Iterator[Diagnostic]:
    """Yield inputs for parameters that are not declared.

    A variable may be meant for another workflow, and the value of an earlier run for an earlier state of this one.
    """
    for value in inputs.values:
        if value.name not in names and not value.source.startswith((OF_VARIABLE, OF_RUN)):
            advice = did_you_mean(suggest(value.name, names))
            known = ", ".join(sorted(names)) if names else "none"
            notes = () if advice else (f"the workflow's parameters: {known}",)
            message = f"there is no parameter `{short(value.name)}`"
            yield Diagnostic("unknown-param", message, value.place, advice, notes, value.source)


def _declaration_mistakes(name: str, entry: ParamEntry) -> Iterator[Mistake]:
    path, kind = ("params", name), type_of(entry)
    yield from _useless_keys(entry, path, kind)
    if entry.secret:
        yield from _secret_mistakes(entry, path, kind)
    if kind == "enum" and not entry.choices:
        yield Mistake("missing-key", f"the enum `{name}` has no `choices`", path, "key", "add `choices: […]`")
    if entry.required is True and _has_default(entry):
        message = f"`{name}` is required, so its default is never used"
        yield Mistake("no-effect", message, (*path, "required"), "key", "remove one of the two")
    if entry.pattern and not _is_regex(entry.pattern):
        yield Mistake("bad-value", f"`{short(entry.pattern)}` is not a regular expression", (*path, "pattern"))
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
                message = f"`{key}` is for {takers}, and `{path[1]}` is of type `{kind}`"
                yield Mistake("no-effect", message, (*path, key), "key")


def _secret_mistakes(entry: ParamEntry, path: tuple[str, str], kind: str) -> Iterator[Mistake]:
    if kind != "str":
        yield Mistake("secret", f"a secret is text, and `{path[1]}` is of type `{kind}`", (*path, "secret"), "key")
    if _has_default(entry):
        message = "a secret has no default: everybody who can read the file could read it"
        yield Mistake("secret", message, (*path, "default"), "key", f"give it by the variable {variable_name(path[1])}")


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
        message = f"the `minimum` of `{name}` is above its `maximum`: no value fits"
        yield Mistake("bad-value", message, (*path, "minimum"))


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
