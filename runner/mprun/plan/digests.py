"""Digests that identify work by what it does, never by its index or by the name of its step.

Two steps, or two tasks, with equal digests do the same work. No digest contains a secret; it contains the reference to
the secret.
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

# How the Pool is called doesn't matter for the work of a task. How the item is passed does.
_GIVEN = {"map": "item", "imap": "item", "imap_unordered": "item", "matrix": "kwargs", "zip": "kwargs"}

# The parts that are code, by the keys that name it.
CODE_PARTS = {
    "target": "the target's module",
    "initializer": "the initializer's module",
    "finalizer": "the finalizer's module",
}

Parts = dict[str, str]  # a digest in hexadecimal for each part of a step


def content_digest(content: Any) -> bytes:
    """Return the BLAKE2b digest (RFC 7693) of plain data as JSON, or of bytes."""
    data = content if isinstance(content, bytes | memoryview) else _canonical(content)
    return blake2b(data, digest_size=SIZE).digest()


def content_digests(contents: Iterable[Any]) -> bytes:
    """Return the digests of all `contents`, concatenated."""
    return b"".join(map(content_digest, contents))


def step_parts(plan: Plan, step: Step, digest_of_results: Callable[[str], str]) -> Parts:
    """Return the digests of what the tasks of `step` depend on, except their items and their code.

    `digest_of_results` returns the digest of the results of a step that `step` refers to. Not included is what only
    limits the work, spreads it, or says where results go.
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
    """Return the digest of a step that has `parts`."""
    return content_digest(sorted(parts.items())).hex()


def code_parts(code: Mapping[str, Any]) -> Parts:
    """Return the digests of a step's code, which `code` has by the keys of its targets.

    The code of a generator is not included, because its items count.
    """
    return {CODE_PARTS[key]: content_digest(what).hex() for key, what in code.items() if what and key in CODE_PARTS}


def shares(step: Step) -> bool:
    """Return whether calls of `step` get shared things. What they leave there ends with their run."""
    given = [step.args, step.kwargs, step.command, step.initargs if isinstance(step, PoolStep) else ()]
    return any(reference.scope == "shared" for reference in references_in([*given, *_written_items(step)]))


def may_be_reused(step: Step) -> bool:
    """Return whether a run may reuse the results of `step`, because they hold everything that its calls did.

    They don't if calls leave something in shared things, or in workers with a finalizer.
    """
    return step.reuse and not when(step) and not shares(step) and not (isinstance(step, PoolStep) and step.finalizer)


def is_written(source: Source) -> bool:
    """Return whether the items of `source` are in the plan itself without loss: its JSON has only texts as keys."""
    return source.traits.found_in == "plan" and not _has_other_keys(as_data(source))


def _written_items(step: Step) -> tuple[Any, ...]:
    source = items_of(step)
    whole = None if source is None else whole_of(source)
    return whole.values if isinstance(whole, ListSource) else ()


def _with_results(value: Any, digest_of_results: Callable[[str], str]) -> Any:
    """Return `value` with each reference to results replaced by the digest of those results."""
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
    """Return whether a mapping in `value` has keys that are not text, or the key that marks such mappings."""
    if isinstance(value, dict):
        return any(type(key) is not str or key == _TYPED for key in value) or any(map(_has_other_keys, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_other_keys, value))


def _with_typed_keys(value: Any) -> Any:
    """Return `value` with lists of pairs instead of mappings whose keys are not all text."""
    if isinstance(value, dict):
        pairs = [(key, _with_typed_keys(item)) for key, item in value.items()]
        return {_TYPED: pairs} if _has_other_keys(dict.fromkeys(value)) else dict(pairs)
    return [_with_typed_keys(item) for item in value] if isinstance(value, list | tuple) else value


_TYPED = "$pairs"


def _reference(value: Any) -> Any:
    """Return a reference as the plan writes it; the `repr` of a value that a plan can't hold."""
    return {"$reference": str(value)} if isinstance(value, Reference | Template) else repr(value)
