"""`only_targets`: checks that a target is one of the objects that may be called, whatever name leads to it."""

from __future__ import annotations

from collections.abc import Iterable
from types import MethodType
from typing import Any

from mprun.language.targets import Target, resolve
from mprun.worker.checks.problems import Problem, Use

_MAX_NAMES = 8


def is_allowed(found: Any, targets: Iterable[Target]) -> bool:
    """Return whether `found` is the object that one of `targets` names."""
    return any(_is_same(found, target) for target in targets)


def not_allowed(use: Use) -> Problem:
    """Return the problem of a use whose target is not allowed."""
    listed = [f"`{target.text}`" for target in use.allowed[-1]]
    names = ", ".join(listed[:_MAX_NAMES]) + ", …" * (len(listed) > _MAX_NAMES)
    message = f"`{use.target.text}` is not one of the workflow's `targets`, and `only_targets` allows no other"
    return Problem("not-allowed", message, use.at, notes=(f"allowed are {names}",) if names else ())


def _is_same(found: Any, target: Target) -> bool:
    """Return whether `found` is the object of `target`.

    Compares by identity, because `==` may be the object's own code.

    A bound method is a new object at each access, so its parts are compared.
    """
    try:
        allowed: Any = resolve(target)
    except BaseException:  # noqa: BLE001 -- reported where it is used
        return False
    if type(found) is MethodType and type(allowed) is MethodType:
        return found.__func__ is allowed.__func__ and found.__self__ is allowed.__self__
    return found is allowed
