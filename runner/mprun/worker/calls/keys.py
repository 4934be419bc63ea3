"""What the tasks of a pool with `keys` are called: told in each one's line, such as `"key":"north"`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mprun.language.labels import key_of
from mprun.language.references import Reference, Template
from mprun.log.codec.task_lines import TaskLines

if TYPE_CHECKING:
    from mprun.worker.calls.items import Load


class KeyedItems:
    """Loads items as `load` does, and notes the key of each before its call, which may change the item.

    `key` is that of the last one; None where `keys` leads nowhere in it, or where it could not be loaded.
    """

    def __init__(self, keys: str | Reference | Template, load: Load | None) -> None:
        self.key: str | None = None
        self._keys = keys
        self._load = load

    def load(self, handed_over: Any) -> Any:
        self.key = None
        item = handed_over if self._load is None else self._load(handed_over)
        self.key = key_of(item, self._keys)
        return item

    @property
    def fields(self) -> dict[str, str]:
        """What the events of the last one's task have besides."""
        return {} if self.key is None else {"key": self.key}

    def lines(self, about: Mapping[str, Any]) -> TaskLines:
        """Those of the tasks whose items are loaded here."""
        return _KeyedLines(about, self)


class _KeyedLines(TaskLines):
    def __init__(self, about: Mapping[str, Any], items: KeyedItems) -> None:
        super().__init__(about)
        self._items = items

    def begin_batch(self, attempt: int, handed: int) -> None:
        super().begin_batch(attempt, handed)
        self._without_key = self._returned

    def line(self, task: int, result: str, began: int, ended: int) -> bytes:
        key = self._items.key
        told = "" if key is None else f',"key":{json.dumps(key, ensure_ascii=False)}'
        self._returned = told + self._without_key  # what follows the task
        return super().line(task, result, began, ended)
