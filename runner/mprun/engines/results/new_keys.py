"""The keys of reused tasks whose step labels them otherwise than before: read off their items, as plain data.

A worker reads a key off the item that it loads; the parent loads no object of a user's. Where an item is one, or very
large, its task has no key.
"""

from __future__ import annotations

import json
from typing import Any

from mprun.engines.results.plain_items import plain_loader
from mprun.engines.results.tracking import EarlierTasks, Reused
from mprun.engines.supply.supply import Supply
from mprun.errors.exceptions import ItemError
from mprun.language.labels import key_of
from mprun.plan.plan import Step, as_data


class NewKeys:
    """Gives what is reused of `step` the key that it has now; its items come from `supply`."""

    def __init__(self, step: Step, supply: Supply) -> None:
        self._keys = step.keys
        self._written = as_data(step.keys)
        self._load = plain_loader(supply)

    def put(self, reused: Reused, item: Any, number: int, earlier: EarlierTasks) -> Reused:
        """`reused`, which `earlier` has under `number`, with the key of its `item`."""
        if earlier.keys(number) == self._written:
            return reused
        return reused._replace(recorded=reused.recorded._replace(key=self._key(item)))

    def _key(self, item: Any) -> bytes:
        """As JSON; empty where there is none."""
        if not self._keys:
            return b""
        try:
            key = key_of(self._load(item), self._keys)
        except (ItemError, LookupError, OSError, EOFError):
            return b""
        return b"" if key is None else json.dumps(key, ensure_ascii=False).encode()
