"""The keys of the tasks of a pool with `keys`. Each stands in the line of its task, such as `"key":"north"`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mprun.language.labels import key_of
from mprun.language.references import Reference, Template
from mprun.log.codec.task_lines import KeyedTaskLines, TaskLines

if TYPE_CHECKING:
    from mprun.worker.calls.items import Load


class KeyedItems:
    """Loads items as `load` does, and notes the key of each item before the call, which may change the item.

    `key` is the key of the last item; None if `keys` leads nowhere in it, or if it could not be loaded.
    """

    def __init__(self, keys: str | Reference | Template, load: Load | None) -> None:
        self.key: str | None = None
        self._keys = keys
        self._load = load

    def load(self, packed: Any) -> Any:
        self.key = None
        item = packed if self._load is None else self._load(packed)
        self.key = key_of(item, self._keys)
        return item

    @property
    def fields(self) -> dict[str, str]:
        """The further fields of the events of the last item's task."""
        return {} if self.key is None else {"key": self.key}

    def lines(self, about: Mapping[str, Any]) -> TaskLines:
        """Return what makes the lines of the tasks whose items are loaded here."""
        return KeyedTaskLines(about, lambda: self.key)
