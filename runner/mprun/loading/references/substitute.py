"""The stage that replaces references by values known before the start, and parses the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mprun.errors.places import Path
from mprun.format.workflow import is_extension
from mprun.language.expressions import Constant, Expression, ExpressionError, put_in, read_expression
from mprun.language.references import (
    SCOPES,
    Reference,
    ReferenceSyntaxError,
    Template,
    follow,
    parse,
    settle,
)
from mprun.loading.mistakes import Mistake, short
from mprun.loading.references.conditions import (
    bare_names,
    odd_comparisons,
    quoted_references,
    references_of,
    syntax_mistake,
)
from mprun.loading.references.parts import NoPart, missing_part, no_part
from mprun.loading.references.positions import PROCESS_GROUPS, SHARED_ELSEWHERE, Position, axes_of, position
from mprun.loading.source_files import (
    FileOutput,
    FilesOutput,
    Params,
    SourceFile,
    SourceFiles,
    a_mapping,
    each_file,
)
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import HOOKS, If

RUN_NAMES = ("id", "dir", "outcome")
_STEPS = (*PROCESS_GROUPS, "pools")
READ_FIRST = ("params", "include")  # substituted first, because other references need their values
_OTHER_SCOPES = {
    **dict.fromkeys(("param", "parameters", "inputs", "vars", "args"), "params"),
    **dict.fromkeys(("environ", "environment"), "env"),
    **dict.fromkeys(("steps", "outputs", "result", "needs", "tasks"), "results"),
    **dict.fromkeys(("each", "it", "element", "value"), "item"),
    "workflow": "run",
}


class Substitution:
    """`data` is a copy with literal texts, values and, for what only the run knows, References and Templates.

    `written` are the replaced texts, by path. `broken` are the paths of texts that stay as they are, because they hold
    a mistake.
    """

    def __init__(self) -> None:
        self.data: Any = None
        self.mistakes: list[Mistake] = []
        self.written: dict[Path, str] = {}
        self.broken: set[Path] = set()


def substitute(files: SourceFiles) -> FilesOutput:
    """Substitute every text of the files, except extensions and keys that are read first. A stage.

    References to results may name a step of any file.
    """
    names = [name for file in files for name in _step_names(file.data)]
    return each_file(files, lambda file: _substituted(file, names), needs=a_mapping)


def _substituted(file: SourceFile, names: Sequence[str]) -> FileOutput:
    walk = _Walk(file.data, file.params, file.request.environ, names)
    data = {
        key: value if is_extension(key) or key in READ_FIRST else walk.value((key,), value)
        for key, value in file.data.items()
    }
    done = file._replace(data=data, referring=frozenset(walk.done.written))
    return done.report(walk.done.mistakes, walk.done.broken)


def substitute_part(data: dict[Any, Any], key: str, params: Params, environ: Mapping[str, str]) -> Substitution:
    """Substitute the value of one of READ_FIRST alone."""
    walk = _Walk(data, params, environ, ())
    walk.done.data = walk.value((key,), data.get(key))
    return walk.done


def _step_names(data: Any) -> list[str]:
    groups = [data.get(group) for group in _STEPS] if isinstance(data, dict) else []
    return [name for group in groups if isinstance(group, dict) for name in group if isinstance(name, str)]


class _Walk:
    def __init__(self, data: dict[Any, Any], params: Params, environ: Mapping[str, str], names: Sequence[str]) -> None:
        self.done = Substitution()
        self._data = data
        self._params = params
        self._environ = environ
        self._steps = names

    def value(self, path: Path, value: Any) -> Any:
        """Return `value`, which stands at `path`, with its texts substituted.

        It recurses as deep as the file nests, which is limited.
        """
        if isinstance(value, str):
            return self._text(path, value) if "${" in value else value
        if isinstance(value, list):
            return [self.value((*path, index), item) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self._entry((*path, key), item) for key, item in value.items()}
        return value

    def _entry(self, path: Path, value: Any) -> Any:
        if len(path) == 3 and path[0] in _STEPS and path[2] == "if":
            return self._condition(path, value)
        return self.value(path, value)

    def _condition(self, path: Path, written: Any) -> Any:
        """Parse the `if` of a step, which has a grammar of its own."""
        if isinstance(written, bool):
            return If(str(written).lower(), Constant(written))
        if not isinstance(written, str) or not written:
            return written  # the models report it
        try:
            read = read_expression(written)
        except ExpressionError as error:
            self._fail(path, syntax_mistake(written, path, error))
            return written
        mistakes = [*bare_names(read, path, self._params.names), *quoted_references(read, path)]
        mistakes += self._wrong_references(path, written, read)
        known = read if mistakes or path in self.done.broken else put_in(read, self._put_in)
        mistakes += odd_comparisons(known, path)
        if mistakes:
            self._fail(path, *mistakes)
        return If(" ".join(written.split()), known)

    def _wrong_references(self, path: Path, text: str, read: Expression) -> Iterator[Mistake]:
        where = position(path, self._data)
        for reference in references_of(read):
            yield from self._judge(path, text, reference, where)

    def _text(self, path: Path, text: str) -> Any:
        try:
            read = parse(text)
        except ReferenceSyntaxError as error:
            self._fail(path, Mistake("reference", str(error), path, advice=error.advice, near=error.text))
            return text
        if isinstance(read, str):
            return read
        where = position(path, self._data)
        mistakes = [mistake for reference in _references(read) for mistake in self._judge(path, text, reference, where)]
        mistakes += _not_alone(read, path, where)
        if mistakes:
            self._fail(path, *mistakes)
            return text
        self.done.written[path] = text
        return settle(read, self._put_in)

    def _fail(self, path: Path, *mistakes: Mistake) -> None:
        self.done.mistakes += mistakes
        self.done.broken.add(path)

    def _put_in(self, reference: Reference) -> Any:
        name, *parts = reference.path or ("",)
        if reference.scope == "env":
            return self._environ[name]
        if reference.scope == "params" and name in self._params.values:
            return follow(self._params.values[name], tuple(parts))
        return reference

    def _judge(self, path: Path, text: str, reference: Reference, where: Position) -> Iterator[Mistake]:
        near = str(reference) if str(reference) in text else ""
        if reference.scope not in SCOPES:
            meant = _OTHER_SCOPES.get(reference.scope.lower()) or suggest(reference.scope, SCOPES)
            names = ", ".join(f"`{scope}`" for scope in SCOPES)
            yield Mistake(
                "unknown-reference",
                f"`{short(str(reference))}`: there is no `{short(reference.scope)}` to refer to",
                path,
                advice=did_you_mean(meant),
                notes=() if meant else (f"a reference begins with one of {names}",),
                near=near,
            )
        elif reference.scope not in where.scopes | where.whole:
            why = SHARED_ELSEWHERE if reference.scope == "shared" else where.why
            message = f"`{short(str(reference))}` can't stand in {where.what}: {why}"
            yield Mistake("reference", message, path, near=near, notes=_what_may(where))
        else:
            yield from self._unknown_name(path, reference, where, near)

    def _unknown_name(self, path: Path, reference: Reference, where: Position, near: str) -> Iterator[Mistake]:
        name, *further = reference.path or ("",)
        if reference.scope == "env" and name not in self._environ:
            yield Mistake("unset-variable", f"the variable `{short(name)}` is not set", path, near=near)
        elif reference.scope == "params":
            yield from self._param(path, reference, where, near)
        elif reference.scope == "results" and name not in self._steps:
            yield _no_such("unknown-step", "step", name, [*self._steps], path, near)
        elif reference.scope == "matrix" and name not in (axes := axes_of(path, self._data)):
            yield _no_such("unknown-axis", "axis", name, axes, path, near)
        elif reference.scope == "run" and name not in RUN_NAMES:
            yield _no_such("unknown-reference", "`run.", name, list(RUN_NAMES), path, near)
        elif further and reference.scope in ("env", "run"):
            whole = Reference(reference.scope, (name,))
            message = f"`{short(str(reference))}` goes too far: `{whole}` has no parts"
            yield Mistake("unknown-reference", message, path, near=near)
        elif reference.scope == "run":
            yield from _of_run(path, name, near)
        elif reference.scope in ("item", "matrix") and (missing := missing_part(reference, path, self._data)):
            yield _leads_nowhere(reference, missing, path, near)

    def _param(self, path: Path, reference: Reference, where: Position, near: str) -> Iterator[Mistake]:
        name, *parts = reference.path
        if name not in self._params.names:
            yield _no_such("unknown-param", "parameter", name, self._params.names, path, near)
        elif name in self._params.secrets and not where.secrets:
            message = f"the secret `{name}` can't stand in {where.what}"
            notes = ("a secret may stand in `args`, `kwargs`, `initargs`, `command` and `env`",)
            yield Mistake("secret", message, path, near=near, notes=notes)
        elif name in self._params.secrets and parts:
            message = f"`{short(str(reference))}` is a part of a secret, which mprun could not mask"
            yield Mistake("secret", message, path, near=near, advice=f"write `${{params.{name}}}`")
        elif name in self._params.broken:
            self.done.broken.add(path)  # the mistake is reported at the parameter
        elif name in self._params.values and (missing := no_part([self._params.values[name]], tuple(parts))):
            yield _leads_nowhere(reference, missing, path, near)


def _leads_nowhere(reference: Reference, missing: NoPart, path: Path, near: str) -> Mistake:
    message = f"`{short(str(reference))}` leads nowhere: {missing.why}"
    return Mistake("unknown-reference", message, path, advice=missing.advice, near=near)


def _of_run(path: Path, name: str, near: str) -> Iterator[Mistake]:
    """Yield a mistake if the run's value `name` can't be known, or decides nothing, at `path`."""
    after = path[0] in HOOKS and path[2:3] in (("args",), ("kwargs",), ("command",), ("if",))
    if name == "outcome" and not after:
        message = "the run's outcome is known once it has ended"
        advice = f"it may stand in what steps of {', '.join(f'`{group}`' for group in HOOKS)} are given"
        yield Mistake("reference", message, path, advice=advice, near=near)
    elif name != "outcome" and path[2:3] == ("if",):
        yield Mistake("reference", f"`${{run.{name}}}` is different each time: there is nothing to decide by it", path)


def _no_such(code: str, kind: str, name: str, names: list[str], path: Path, near: str) -> Mistake:
    advice = did_you_mean(suggest(name, names))
    listed = ", ".join(sorted(map(str, names))[:12])
    notes = () if advice else (f"there is {listed}" if listed else "there is none",)
    what = f"{kind}{short(name)}`" if kind.endswith(".") else f"{kind} `{short(name)}`"
    return Mistake(code, f"there is no {what}", path, advice=advice, notes=notes, near=near)


def _not_alone(read: Reference | Template, path: Path, where: Position) -> list[Mistake]:
    """Return mistakes for references that may only stand alone as a value, and have text around them."""
    if isinstance(read, Reference):
        return []
    return [
        Mistake("reference", f"`{short(str(part))}` stands for a whole value, and has text beside it", path)
        for part in read.parts
        if isinstance(part, Reference) and part.scope in where.whole - where.scopes
    ]


def _what_may(where: Position) -> tuple[str, ...]:
    allowed = [scope for scope in SCOPES if scope in where.scopes | where.whole]
    return (f"here may stand: {', '.join(f'`{scope}`' for scope in allowed)}",) if allowed else ()


def _references(read: Reference | Template) -> list[Reference]:
    return [read] if isinstance(read, Reference) else [part for part in read.parts if isinstance(part, Reference)]
