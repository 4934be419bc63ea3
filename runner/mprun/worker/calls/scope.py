"""The values of references in a child. The parent sends them with the work; the child puts them in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mprun.language.references import Reference, evaluate, follow
from mprun.results.files import Stored


@dataclass(slots=True)
class Scope:
    """The values of `${scope.name…}`: `given` has them by scope and name, `results` says where stored results are.

    A skipped step has None in `results`, which is also the value of its reference. A result is loaded when it is first
    needed; then all users in this process get the same object.
    """

    results: dict[str, Stored | None] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    _loaded: dict[str, Any] = field(default_factory=dict)

    def lookup(self, reference: Reference) -> Any:
        """Return the value of `reference`. Raises LookupError, and whatever loading a result raises."""
        whole, path = self._whole(reference)
        try:
            return follow(whole, path)
        except LookupError as error:
            raise LookupError(f"`{reference}` leads nowhere: {error}") from None

    def evaluate(self, value: Any) -> Any:
        """Return `value` with its references replaced by their values. Raises as `lookup` does."""
        return evaluate(value, self.lookup)

    def _whole(self, reference: Reference) -> tuple[Any, tuple[str, ...]]:
        """Return the value at which the path starts, and the rest of the path."""
        if reference.scope == "shared":
            return _shared_thing(reference.path[0]), reference.path[1:]
        if reference.scope != "results":
            return self.given[reference.scope], reference.path
        name, *path = reference.path
        if name not in self._loaded:
            stored = self.results[name]
            self._loaded[name] = None if stored is None else stored.load()
        return self._loaded[name], tuple(path)


def _shared_thing(name: str) -> Any:
    from mprun.sharing.child import thing  # imported here, because most children don't need it

    return thing(name)
