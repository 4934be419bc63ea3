"""Makes and frees the shared things of a run in the parent, and assigns the slots for notes of their uses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, process, sharedctypes, synchronize, util
from typing import Any, Literal

from mprun.language.targets import Target
from mprun.plan.plan import SharedThing, StartMethod
from mprun.sharing import notes
from mprun.sharing.kinds import MANAGED, in_c
from mprun.sharing.lazy import Array, Object, Once
from mprun.sharing.locks import Barrier, Condition, Event, Lock, Semaphore
from mprun.sharing.names import semaphore_prefix
from mprun.sharing.pipes import End
from mprun.sharing.queues import JoinableQueue, Queue, QueueParts, SimpleQueue

Resolve = Callable[[Target], Callable[..., Any]]

Role = Literal[
    "lock", "semaphore", "event", "condition", "notify", "barrier", "rest", "item", "room", "written", "done", "message"
]


@dataclass(frozen=True, slots=True)
class Slot:
    """One lock in a thing, or one cause to wait for it. `is_free`: a waiter need not wait any longer.

    `parties` is how many a barrier needs. `lock` is the slot of the lock that anybody needs who ends the wait.
    """

    thing: str
    role: Role
    is_free: Callable[[], bool] = lambda: False
    parties: int = 0
    lock: int = -1


@dataclass(slots=True)
class Made:
    """A thing that exists. `free` releases its resources in the system."""

    thing: SharedThing
    value: Any
    free: Callable[[], None]


class Workshop:
    """Makes things from the run's context. `slots` has the slots of all things made so far.

    `manager` returns the run's manager, and starts it at the first call. `resolve` finds what a Target names; it goes
    to the children pickled.
    """

    def __init__(self, start_method: StartMethod, run_id: str, manager: Callable[[], Any], resolve: Resolve) -> None:
        self._resolve = resolve
        self.slots: list[Slot] = []
        self._context: Any = get_context(start_method)
        self._prefix = semaphore_prefix(run_id)
        self._manager = manager
        self._name = ""

    def make(self, thing: SharedThing) -> Made:
        """Make `thing`. Raises OSError where the system lacks resources."""
        self._name = thing.name
        if thing.kind in MANAGED:
            self._manager()
        with _semaphores() as semaphores, self._names_of_semaphores():
            value = getattr(self, f"_{thing.kind}")(*thing.args)
        notes.make_room(len(self.slots))
        return Made(thing, value, lambda: _free(value, semaphores))

    @contextmanager
    def _names_of_semaphores(self) -> Iterator[None]:
        """Name semaphores so that the next run recognizes those of a killed run (`spawn` and `forkserver` need
        names)."""
        config: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]
        before = config["semprefix"]
        config["semprefix"] = self._prefix or before
        try:
            yield
        finally:
            config["semprefix"] = before

    def _slot(self, role: Role, is_free: Callable[[], bool] = lambda: False, parties: int = 0, lock: int = -1) -> int:
        self.slots.append(Slot(self._name, role, is_free, parties, lock))
        return len(self.slots) - 1

    def _noted(self, standard: Any, role: Role = "lock", noted: type[Lock] = Lock) -> Any:
        return noted(standard, self._slot(role, lambda: not standard._semlock._is_zero()))

    # -- one method for each kind, by its name

    def _Lock(self) -> Any:  # noqa: N802 -- multiprocessing's names
        return self._noted(self._context.Lock())

    def _RLock(self) -> Any:  # noqa: N802
        return self._noted(self._context.RLock())

    def _Semaphore(self, value: int = 1) -> Any:  # noqa: N802
        return self._noted(self._context.Semaphore(value), "semaphore", Semaphore)

    def _BoundedSemaphore(self, value: int = 1) -> Any:  # noqa: N802
        return self._noted(self._context.BoundedSemaphore(value), "semaphore", Semaphore)

    def _Condition(self, lock: Any = None, role: Role = "condition") -> Any:  # noqa: N802
        return Condition(lock or self._RLock(), self._slot(role), self._slot("notify"), self._context)

    def _Event(self) -> Any:  # noqa: N802
        return Event(self._Condition(self._Lock(), "event"), self._context.Semaphore(0))

    def _Barrier(self, parties: int) -> Any:  # noqa: N802
        lock, waits = self._RLock(), self._slot("barrier", parties=parties)
        return Barrier(parties, Condition(lock, waits, self._slot("notify"), self._context))

    def _Value(self, code: str, *value: Any) -> Any:  # noqa: N802
        return sharedctypes.Value(code, *(in_c(code, each) for each in value), lock=self._RLock(), ctx=self._context)

    def _Array(self, code: str, content: Any) -> Any:  # noqa: N802
        values = content if isinstance(content, int) else [in_c(code, each) for each in content]
        return sharedctypes.Array(code, values, lock=self._RLock(), ctx=self._context)

    def _Queue(self, maxsize: int = 0) -> Any:  # noqa: N802
        return Queue(self._queue_parts(maxsize))

    def _SimpleQueue(self) -> Any:  # noqa: N802
        return SimpleQueue(self._queue_parts(0))

    def _JoinableQueue(self, maxsize: int = 0) -> Any:  # noqa: N802
        parts = self._queue_parts(maxsize)
        parts.unfinished, parts.done = self._context.Semaphore(0), self._Condition(self._Lock(), "done")
        return JoinableQueue(parts)

    def _queue_parts(self, maxsize: int) -> QueueParts:
        items = self._context.Semaphore(0)
        room = self._context.BoundedSemaphore(maxsize) if maxsize else None
        reader, writer = self._context.Pipe(duplex=False)
        os.set_blocking(writer.fileno(), False)
        reading, writing = self._Lock(), self._Lock()
        lock = len(self.slots) - 1
        return QueueParts(
            reader,
            writer,
            reading,
            writing,
            items,
            room,
            sharedctypes.RawValue("b", 0),
            self._slot("rest", lock=lock),
            self._slot("item", lambda: not items._semlock._is_zero()),
            self._slot("room", lambda: room is not None and not room._semlock._is_zero()),
            self._slot("written", lock=lock),
        )

    def _Pipe(self, duplex: bool = True) -> Any:  # noqa: N802
        slot = self._slot("message")
        return tuple(End.of(end, slot) for end in self._context.Pipe(duplex))

    def _dict(self, content: Any) -> Any:
        return self._manager().dict(content)

    def _list(self, content: Any) -> Any:
        return self._manager().list(content)

    def _array(self, arguments: Any) -> Any:
        return Array(arguments, self._Lock(), sharedctypes.RawValue("b", 0))

    def _object(self, arguments: Any) -> Any:
        return Object({**arguments, "resolve": self._resolve}, self._Lock(), sharedctypes.RawValue("b", 0))


@contextmanager
def _semaphores() -> Iterator[list[Any]]:
    """Collect functions that remove the names of semaphores made inside the context."""
    registry: dict[Any, Any] = util._finalizer_registry  # type: ignore[attr-defined]
    before = set(registry)
    made: list[Any] = []
    try:
        yield made
    finally:
        new = [finalizer for key, finalizer in registry.items() if key not in before]
        made += [each for each in new if each._callback is synchronize.SemLock._cleanup]  # type: ignore[attr-defined]


def _free(value: Any, semaphores: list[Any]) -> None:
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, Once | End):
            part.close()
    if isinstance(value, Queue):
        value.close_pipe()
    for remove_name in semaphores:
        remove_name()
