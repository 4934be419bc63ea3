"""Which arguments of a call are plain data, where those that come from a file of texts are read as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mprun.language.references import references_in


def strict_arguments(args: Sequence[Any], kwargs: Mapping[str, Any], item: Collection[str]) -> frozenset[int | str]:
    """Return the positions and names of the arguments of a cell's call that don't refer to its item.

    `item` are the scopes of the item (`item` or `matrix`); it is empty if the item is all of `kwargs`.
    """
    known = [*enumerate(args), *(kwargs.items() if item else ())]
    return frozenset(key for key, value in known if all(each.scope not in item for each in references_in(value)))
