"""The ends of a `multiprocessing.Pipe`, which note that a child waits for a message."""

from __future__ import annotations

import os
from multiprocessing import connection, reduction
from typing import Any

from mprun.sharing.notes import start_of, wait_for


class End(connection.Connection):
    """One end of a `multiprocessing.Pipe`. Notes waits in `recv` and `recv_bytes` in `slot`."""

    slot: int

    @classmethod
    def of(cls, standard: Any, slot: int) -> End:
        """An end that takes over the descriptor of `standard`, and closes `standard`."""
        end = cls(os.dup(standard.fileno()), standard.readable, standard.writable)
        end.slot = slot
        standard.close()
        return end

    def __reduce__(self) -> tuple[Any, ...]:
        return _end, (reduction.DupFd(self.fileno()), self.readable, self.writable, self.slot)

    def recv(self) -> Any:
        return super().recv() if self.poll() else wait_for(start_of(self.slot), super().recv)

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        if self.poll():
            return super().recv_bytes(maxlength)
        return wait_for(start_of(self.slot), lambda: super(End, self).recv_bytes(maxlength))


def _end(handle: Any, readable: bool, writable: bool, slot: int) -> End:
    end = End(handle.detach(), readable, writable)
    end.slot = slot
    return end
