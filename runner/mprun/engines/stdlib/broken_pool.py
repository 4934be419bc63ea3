"""Abandons a `multiprocessing.Pool` whose workers have died: its own methods wait for locks that they may have held."""

from __future__ import annotations

import contextlib
import threading
from multiprocessing import pool as pools
from typing import Any

from mprun.engines.child.child import signal_group

PATIENCE = 1.0  # seconds that each of the Pool's threads has to end

# Pools whose threads don't end stay here forever: collecting one would wait for its threads.
_left: list[pools.Pool] = []


def abandon(pool: pools.Pool) -> None:
    """Stop the Pool's worker handler from starting workers, and the interpreter from waiting for the Pool."""
    internals: Any = pool
    internals._worker_handler._state = pools.TERMINATE
    internals._state = pools.TERMINATE
    internals._change_notifier.put(None)
    internals._worker_handler.join()  # it may be starting a worker; it waits for nothing else
    with contextlib.suppress(AttributeError):
        internals._terminate.cancel()
    _left.append(pool)


def signal_workers(pool: pools.Pool, number: int) -> None:
    """Send signal `number` to each worker of an abandoned Pool that is not joined yet."""
    internals: Any = pool
    for process in internals._pool:
        if process.exitcode is None:
            signal_group(process.pid, number)


def clear_away(pool: pools.Pool) -> None:
    """Close what an abandoned Pool has open, now that all its workers are dead; in a thread, as it waits for others."""
    # No daemon: the interpreter's exit waits for it, as the resource tracker must hear of each semaphore that is freed.
    threading.Thread(target=_clear_away, args=(pool,)).start()


def _clear_away(pool: Any) -> None:
    # The errors of its threads go into its results, and their tracebacks refer to this table: that would be a cycle of
    # buffers, and Python 3.13 prints a BufferError when it collects one.
    pool._cache.clear()
    pool._inqueue._reader.close()  # a thread that waits for room in the pipe gets EPIPE
    pool._task_handler._state = pools.TERMINATE
    pool._taskqueue.put(None)
    if not _has_ended(pool._task_handler):
        with contextlib.suppress(ValueError):
            pool._outqueue._wlock.release()  # a dead worker held it
    if not _has_ended(pool._task_handler):
        return
    pool._outqueue._writer.close()
    if not _has_ended(pool._result_handler):
        return  # a stray process holds the other end
    for queue in (pool._inqueue, pool._outqueue, pool._change_notifier):
        queue.close()
    pool._pool.clear()
    _left.remove(pool)


def _has_ended(thread: threading.Thread) -> bool:
    thread.join(PATIENCE)
    return not thread.is_alive()
