"""The items that a generator function yields in a child of its own. They pass through the parent as bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from mprun.engines.child.child import Ending
from mprun.engines.child.helper import Helper
from mprun.engines.seam import Run
from mprun.engines.supply.supply import Supply
from mprun.plan.plan import Step
from mprun.sources.table import CallSource
from mprun.worker.calls.generate import generate
from mprun.worker.calls.pool_setup import ItemsAre
from mprun.worker.wire.frames import FAILED, GOODBYE, ITEM, read_fields

MOST_ITEMS = 1000  # items that wait here; beyond that the pipe fills, and then the generator waits
MOST_BYTES = 4 * 1024 * 1024


class CallSupply(Supply):
    """Runs the generator of one step."""

    items_are: ItemsAre = "pickles"

    def __init__(self, run: Run, step: Step, source: CallSource) -> None:
        super().__init__()
        self._source = source
        self._helper = Helper(run, step, "source", self._frame, self._child_ended, lambda: self._on_available())
        self._items: deque[bytes] = deque()
        self._bytes = 0
        self._yielded = 0
        self._is_finished = False  # the generator has come to its own end, or raised
        self._dropped = False
        self._on_available: Callable[[], None] = lambda: None

    @property
    def count(self) -> int | None:
        return None

    @property
    def ended(self) -> bool:
        return self._dropped or (self.gone and not self._items)

    @property
    def gone(self) -> bool:
        return self._helper.child is None

    def begin(self, on_available: Callable[[], None]) -> None:
        self._on_available = on_available
        source = self._source
        try:
            work = source.target, source.args, source.kwargs
            self._helper.start(generate, work, target=source.target.text)
        except (OSError, EOFError) as error:
            self._error = f"`{source.target.text}` could not be started: {error}"

    def take(self, most: int) -> Sequence[Any]:
        items = [self._items.popleft() for _ in range(min(most, len(self._items)))]
        self._bytes -= sum(map(len, items))
        self._hold_back_or_go_on()
        return items

    def drop(self, why: str) -> None:
        self._dropped = True
        self._items.clear()
        self._bytes = 0
        self._hold_back_or_go_on()
        self._helper.terminate(why)

    def end(self, number: int, why: str) -> None:
        self._helper.end(number, why)

    def signal(self, number: int) -> None:
        self._helper.signal(number)

    # -- what its child reports

    def _frame(self, kind: int, body: bytes) -> None:
        if kind == ITEM:
            self._yielded += 1
            self._take_in(body)
        elif kind == FAILED:
            self._is_finished = True
            self._fail(f"`{self._source.target.text}` raised {read_fields(body).get('error')}")
        elif kind == GOODBYE:
            self._is_finished = True

    def _take_in(self, item: bytes) -> None:
        if not self._dropped:
            self._items.append(item)
            self._bytes += len(item)
            self._hold_back_or_go_on()
            self._on_available()

    def _hold_back_or_go_on(self) -> None:
        child = self._helper.child
        if child is None:
            return
        if len(self._items) > MOST_ITEMS or self._bytes > MOST_BYTES:
            child.ignore()
        else:
            child.hear()

    def _child_ended(self, ending: Ending) -> dict[str, Any]:
        if not self._is_finished:
            self._fail(f"the child that calls `{self._source.target.text}` {ending}")
        return {"items": self._yielded}

    def _fail(self, error: str) -> None:
        if not self._dropped:
            self._error = self._error or error
