"""What references stand for in a child: the parent hands it over with the work, the child puts the values in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mprun.language.references import Reference, evaluate, follow
from mprun.results.files import Stored


@dataclass(slots=True)
class Scope:
    """The values of `${scope.name…}`: `given` by scope and then by name, and results that are still on disk.

    A step that was skipped has None in `results`, and so has its reference. A value is loaded when it is first asked
    for, and is then the same object for all who ask in this process.
    """

    results: dict[str, Stored | None] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    _loaded: dict[str, Any] = field(default_factory=dict)

    def lookup(self, reference: Reference) -> Any:
        """What `reference` stands for. Raises LookupError, and what loading a result raises."""
        whole, path = self._whole(reference)
        try:
            return follow(whole, path)
        except LookupError as error:
            raise LookupError(f"`{reference}` leads nowhere: {error}") from None

    def evaluate(self, value: Any) -> Any:
        """`value` with what its references stand for in their place; raises as `lookup` does."""
        return evaluate(value, self.lookup)

    def _whole(self, reference: Reference) -> tuple[Any, tuple[str, ...]]:
        """The value that the path starts from, and what is left of the path."""
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
    from mprun.sharing.child import thing  # which most children have no need to load

    return thing(name)
