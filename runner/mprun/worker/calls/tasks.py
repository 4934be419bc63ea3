"""Makes the calls of a pool one by one, each from what the parent sent for its task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mprun.errors.exceptions import ConversionError
from mprun.worker.calls.calling import Arguments, arguments_of
from mprun.worker.calls.calls import Call, call, judge_stay
from mprun.worker.calls.items import item_loader, keyed_items
from mprun.worker.calls.pool_setup import PoolWork

if TYPE_CHECKING:
    from mprun.worker.wire.result_writer import Keeper


class Tasks:
    """The calls of `function` for the pool of `work`. `keeper` has the value of the last call, if values are stored."""

    def __init__(self, function: Callable[..., Any], work: PoolWork) -> None:
        self.keeper = _keeper_of(work)
        self._function = function
        self._decoding = work.decoding
        self._arguments_of = arguments_of(work.call, work.kwargs)
        load = item_loader(work)
        self._keyed = keyed_items(work, load)
        self._load = load if self._keyed is None else self._keyed.load

    @property
    def key(self) -> dict[str, str]:
        """The `key` of the last call's task as a field of its event; empty if it has none."""
        return {} if self._keyed is None else self._keyed.fields

    def make(self, task: int, packed: Any) -> tuple[Call, Arguments]:
        """Make the call of `task`.

        Return how it ended, or how loading its item failed, and the arguments that are known.
        """
        item = packed
        if self._load is not None:
            loaded = call(self._load, (packed,), {}, judge_stay)
            if loaded.error is not None:
                return loaded, ((packed,), {})
            item = loaded.value
        arguments = self._arguments_of(item)
        if self.keeper is not None:
            self.keeper.task = task
        ended = call(self._function, *arguments, self.keeper.judge if self.keeper is not None else None)
        if isinstance(ended.error, ConversionError) and self._decoding is not None:
            placed = ConversionError(f"{self._decoding.place(packed)}: {ended.error}")
            ended = ended._replace(error=placed)
        return ended, arguments


def _keeper_of(work: PoolWork) -> Keeper | None:
    if work.keep is None:
        return None
    from mprun.worker.wire.result_writer import Keeper

    return Keeper(work.keep, single=work.call == "apply")
