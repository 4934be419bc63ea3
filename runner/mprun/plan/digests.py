"""What work is, as digests: by what it does, never by a number or by the name of its step.

Two steps, or two tasks, whose digests are the same do the same work. Secrets are in no digest: the references to them
are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any

from mprun.language.references import Reference, Template, references_in
from mprun.plan.plan import Plan, PoolStep, Step, as_data, items_of, when
from mprun.sources.table import ListSource, Source, whole_of

SIZE = 16  # bytes of a digest

# Which work a task is doesn't depend on how the Pool is asked for it, only on how its item is given.
_GIVEN = {"map": "item", "imap": "item", "imap_unordered": "item", "matrix": "kwargs", "zip": "kwargs"}

# The parts that are code, by the keys that name it.
CODE_PARTS = {
    "target": "the target's module",
    "initializer": "the initializer's module",
    "finalizer": "the finalizer's module",
}

Parts = dict[str, str]  # what a step is, part by part: a digest in hexadecimal for each


def content_digest(content: Any) -> bytes:
    """The digest of plain data as JSON writes it, or of bytes as they are."""
    data = content if isinstance(content, bytes | memoryview) else _canonical(content)
    return blake2b(data, digest_size=SIZE).digest()


def content_digests(contents: Iterable[Any]) -> bytes:
    """The digests of all `contents`, one behind the other."""
    return b"".join(map(content_digest, contents))


def step_parts(plan: Plan, step: Step, digest_of_results: Callable[[str], str]) -> Parts:
    """What each task of `step` depends on, but its item and its code. `digest_of_results` is asked for each step
    referred to.

    Not what only limits it, spreads it or says where its results go.
    """

    def known(value: Any) -> Any:
        return _with_results(value, digest_of_results)

    written: dict[str, Any] = {
        "python": "{}.{}".format(*sys.version_info),
        "target": step.target.text,
        "command": known(step.command),
        "stdout": known(step.stdout),
        "stderr": known(step.stderr),
        "call": _GIVEN.get(step.call, step.call) if isinstance(step, PoolStep) else f"process {step.cell}",
        "args": known(step.args),
        "kwargs": known(step.kwargs),
        "env": step.surroundings.env,
        "working_dir": step.surroundings.working_dir,
        "results in items": known(list(references_in(_written_items(step)))),
    }
    if isinstance(step, PoolStep) and step.initializer is not None:
        written["initializer"] = step.initializer.text
        written["initargs"] = known(step.initargs)
    if isinstance(step, PoolStep) and step.finalizer is not None:
        written["finalizer"] = step.finalizer.text
    return {name: content_digest(value).hex() for name, value in written.items() if value}


def step_digest(parts: Parts) -> str:
    """The digest of a step that has `parts`."""
    return content_digest(sorted(parts.items())).hex()


def code_parts(code: Mapping[str, Any]) -> Parts:
    """The parts that `code` is, which has what the code of a step counts by, under the keys of its targets.

    Not that of a generator: its items count.
    """
    return {CODE_PARTS[key]: content_digest(what).hex() for key, what in code.items() if what and key in CODE_PARTS}


def shares(step: Step) -> bool:
    """Whether the calls of `step` are given what steps share: what they have left there is gone with their run."""
    given = [step.args, step.kwargs, step.command, step.initargs if isinstance(step, PoolStep) else ()]
    return any(reference.scope == "shared" for reference in references_in([*given, *_written_items(step)]))


def may_be_reused(step: Step) -> bool:
    """Whether the calls of `step` may be left out where an earlier run has made them: what they did is all in their
    results. It isn't where they leave something behind, in what steps share or in workers that have a finalizer."""
    return step.reuse and not when(step) and not shares(step) and not (isinstance(step, PoolStep) and step.finalizer)


def is_written(source: Source) -> bool:
    """Whether the items of `source` are in the plan itself, and whole: its JSON has only texts for keys."""
    return source.traits.found_in == "plan" and not _has_other_keys(as_data(source))


def _written_items(step: Step) -> tuple[Any, ...]:
    source = items_of(step)
    whole = None if source is None else whole_of(source)
    return whole.values if isinstance(whole, ListSource) else ()


def _with_results(value: Any, digest_of_results: Callable[[str], str]) -> Any:
    """`value` with the digest of what it refers to in the place of each reference to results."""
    if isinstance(value, Reference) and value.scope == "results":
        return {"$results": digest_of_results(value.path[0]), "path": value.path[1:]}
    if isinstance(value, Template):
        return {"$template": [_with_results(part, digest_of_results) for part in value.parts]}
    if isinstance(value, list | tuple):
        return [_with_results(item, digest_of_results) for item in value]
    if isinstance(value, dict):
        return {key: _with_results(item, digest_of_results) for key, item in value.items()}
    return value


def _canonical(value: Any) -> bytes:
    exact = _with_typed_keys(value) if _has_other_keys(value) else value
    return json.dumps(exact, default=_reference, ensure_ascii=True, separators=(",", ":")).encode()


def _has_other_keys(value: Any) -> bool:
    """Whether a mapping in `value` has keys that JSON would turn into texts, or the one that stands for such."""
    if isinstance(value, dict):
        return any(type(key) is not str or key == _TYPED for key in value) or any(map(_has_other_keys, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_other_keys, value))


def _with_typed_keys(value: Any) -> Any:
    """`value` with lists of pairs in the place of mappings whose keys are not all text."""
    if isinstance(value, dict):
        pairs = [(key, _with_typed_keys(item)) for key, item in value.items()]
        return {_TYPED: pairs} if _has_other_keys(dict.fromkeys(value)) else dict(pairs)
    return [_with_typed_keys(item) for item in value] if isinstance(value, list | tuple) else value


_TYPED = "$pairs"


def _reference(value: Any) -> Any:
    """As the plan writes it; a value that a plan can't hold is written as Python would."""
    return {"$reference": str(value)} if isinstance(value, Reference | Template) else repr(value)
