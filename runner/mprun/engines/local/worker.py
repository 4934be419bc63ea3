"""The parent's side of one worker of the local engine: its batches, and the bytes still to write to it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from mprun.engines.child.child import Child
from mprun.engines.local.backlog import Batch
from mprun.engines.pool import PoolWorker
from mprun.system.loop import Loop
from mprun.worker.boot.process import ChildProcess
from mprun.worker.wire.frames import FrameError
from mprun.worker.wire.result_frames import Values


class LocalWorker(PoolWorker):
    """A worker and its batches. `given` counts all tasks that it ever had; `values` are those of its last VALUES
    frame."""

    def __init__(self, loop: Loop, child: Child) -> None:
        super().__init__(child)
        self.board = child.process.board
        self.values: Values | None = None
        self.batches: deque[Batch] = deque()
        self.given = 0
        self.heard = 0.0  # when it last reported a task (seconds, time.monotonic)
        self.slow: tuple[int, int] | None = None  # the call that was reported as slow: task, when it began
        self._pipe = _TaskPipe(loop, child.process)

    @property
    def takes_more(self) -> bool:
        return self.child.alive and not (self.child.stopped_by or self.said_goodbye or self.unready)

    @property
    def at_a_task(self) -> bool:
        """Whether it runs a task that has no outcome yet."""
        task = self.board.task
        return task is not None and self.is_at(task)

    def stays_so(self, what: Callable[[], bool]) -> bool:
        """Return whether `what()` is true and stays true: from then on, the worker starts no further task."""
        # Stop first, then look: otherwise, a worker between two tasks could begin one just after the look.
        had_to_stop = self.board.stopped
        self.board.stop()
        if what():
            return True
        if not had_to_stop:
            self.board.go_on()
        return False

    @property
    def is_idle(self) -> bool:
        """Whether it is ready and has no task."""
        return self.board.is_ready and not self.batches

    def is_at(self, task: int) -> bool:
        """Whether it has `task`, and `task` has no outcome yet: its board may still name an earlier task."""
        return bool(self.batches) and self.batches[0].first + self.batches[0].done <= task < self.batches[0].end

    def attempt_at(self, task: int) -> int | None:
        return self.batches[0].attempt if self.is_at(task) else None

    def continues(self, first: int, end: int) -> bool:
        """Return whether tasks `first` to `end` - 1 follow the booked ones without a gap, in the current batch.

        If there is a gap, frames that report it are still in the pipe, and come first.
        """
        return self.may_report(first, end) and first <= self.batches[0].first + self.batches[0].done

    def may_report(self, first: int, end: int) -> bool:
        """Whether tasks `first` to `end` - 1 are in the current batch."""
        return bool(self.batches) and self.batches[0].first <= first <= end <= self.batches[0].end

    def values_of(self, first: int, count: int) -> Values | None:
        """What tasks `first`, `first` + 1, … returned, from its last VALUES frame; None where the step stores no
        results.

        Raises FrameError where that frame is missing.
        """
        values = self.take_values()
        if self.child.process.result_memory is None:
            return None
        if values is None or (values.first, len(values.lengths)) != (first, count):
            raise FrameError(f"results of tasks {first} to {first + count - 1} without their values")
        return values

    def take_values(self) -> Values | None:
        """The values of its last VALUES frame, once."""
        values, self.values = self.values, None
        return values

    def board_lines(self) -> tuple[tuple[int, list[bytes]] | None, Values | None]:
        """As `Board.kept`, with the values of these tasks where the step stores results."""
        round_, kept = self.board.round, self.board.kept()
        values = self._board_values(kept[0], len(kept[1])) if kept else None
        return (kept, values) if self.board.round == round_ else (None, None)

    def kept_count(self) -> tuple[tuple[int, int] | None, Values | None]:
        """As `Board.counted`, with the values of these tasks where the step stores results."""
        round_, counted = self.board.round, self.board.counted()
        values = self._board_values(*counted) if counted else None
        return (counted, values) if self.board.round == round_ else (None, None)

    def _board_values(self, first: int, count: int) -> Values | None:
        result_memory = self.child.process.result_memory
        return None if result_memory is None else result_memory.values(first, count)

    def give(self, batch: Batch, frame: bytes) -> None:
        self.batches.append(batch)
        self.heard = time.monotonic()
        self.given += len(batch.items)
        self._pipe.write(frame)

    def ended_before(self, task: int) -> None:
        """The tasks before `task` of the current batch have ended.

        A repeated report may concern an earlier batch, even one of higher tasks: tasks that came back from a dead
        worker have lower numbers, and run later.
        """
        if self.batches and self.batches[0].first + self.batches[0].done < task <= self.batches[0].end:
            batch = self.batches[0]
            self.tasks += task - batch.first - batch.done
            batch.done = task - batch.first
            if task >= batch.end:
                self.batches.popleft()

    def close_tasks(self) -> None:
        """Let it end after its last batch."""
        self._pipe.close()

    def gone(self) -> None:
        """The worker has ended: write nothing more to it."""
        self._pipe.abandon()


class _TaskPipe:
    """A worker's task pipe. Writes never block: the rest follows when there is room."""

    def __init__(self, loop: Loop, process: ChildProcess) -> None:
        self._loop = loop
        self._ends = process.tasks
        self._fd = process.tasks.parent_fd
        self._pending: deque[memoryview] = deque()
        self._closing = False
        self._closed = False
        os.set_blocking(self._fd, False)

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        self._pending.append(memoryview(data))
        if len(self._pending) == 1 and not self._write_some():
            self._loop.watch_room(self._fd, self._room)

    def close(self) -> None:
        """Close the pipe once everything is written."""
        self._closing = True
        if not self._pending:
            self._close_now()

    def abandon(self) -> None:
        """Close the pipe now: the worker is gone."""
        if self._pending:
            self._loop.unwatch(self._fd)
            self._pending.clear()
        self._close_now()

    def _room(self) -> None:
        if self._write_some():
            self._loop.unwatch(self._fd)
            if self._closing:
                self._close_now()

    def _write_some(self) -> bool:
        """Write what fits; True when nothing is left."""
        try:
            while self._pending:
                written = os.write(self._fd, self._pending[0])
                if written == len(self._pending[0]):
                    self._pending.popleft()
                else:
                    self._pending[0] = self._pending[0][written:]
        except BlockingIOError:
            return False
        except BrokenPipeError:  # the worker has died; the pidfd reports that
            self._pending.clear()
        return True

    def _close_now(self) -> None:
        if not self._closed:
            self._closed = True
            self._ends.close_parents()
