"""What a worker of the local engine runs: batches of tasks from its own pipe, one after the other.

The line of each finished task goes into memory that the parent can read (`Board`) before the next task begins. Lines
then go through the pipe in runs. So a death costs only the running task, and no task costs a system call of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from mprun.log.codec.task_lines import TaskLines
from mprun.log.values import to_json
from mprun.log.words import Outcome
from mprun.worker.boot import process
from mprun.worker.calls.calling import arguments_of, by_call, decoded
from mprun.worker.calls.calls import CODES, PLAIN_TYPES, Call, judge, result_line
from mprun.worker.calls.finalizing import finalize
from mprun.worker.calls.items import Load, item_loader, keyed_items
from mprun.worker.calls.pool_setup import PoolWork, about_tasks, get_ready
from mprun.worker.calls.retry import RetryPolicy
from mprun.worker.wire.board import BEGAN, FIRST, ROOM, STOP, TASK, USED
from mprun.worker.wire.frames import (
    COUNTED,
    DROPPED,
    RESULT,
    RETRY,
    RUN,
    counted_body,
    read_batches,
    result_body,
    retry_body,
    run_head,
)
from mprun.worker.wire.output import flush_output, unfinished

SEND_INTERVAL = 20_000_000  # ns that finished lines wait before they are sent, if tasks are quicker than that
SMALL = 1 << 62  # an int below it is surely small enough for the log


def serve(work: PoolWork) -> None:
    """Serve batches until the parent closes the pipe. This is the `target` of the worker's Process."""
    child = process.current
    function, work = get_ready(child, work)
    child.board.get_ready()
    server = _server(child, work, function)
    for first, attempt, sent_at, items in read_batches(child.tasks.childs.fileno()):
        server.run(first, attempt, sent_at, items)
    if work.finalizer is not None:
        finalize(child, work, work.finalizer)


def _server(child: process.ChildProcess, work: PoolWork, function: Callable[..., Any]) -> Server:
    if work.keep is not None:
        from mprun.worker.wire.result_writer import StoringServer

        return StoringServer(child, work, function, work.keep)
    return (Server if work.log_tasks == "all" else _CountingServer)(child, work, function)


class Server:
    """Runs the batches of a worker, and reports each task."""

    def __init__(self, child: process.ChildProcess, work: PoolWork, function: Callable[..., Any]) -> None:
        self._child = child
        self._board = child.board
        self._work = work
        self._load = item_loader(work)
        self._keyed = keyed_items(work, self._load)
        self._invoke = _invoker(work, function, self._load if self._keyed is None else self._keyed.load)
        self._arguments = arguments_of(work.call, work.kwargs)
        self._retry_policy = RetryPolicy(work.retries)
        self._about = about_tasks(child, work)
        self._lines = TaskLines(self._about) if self._keyed is None else self._keyed.lines(self._about)
        self._sent = time.monotonic_ns()

    def run(self, first: int, attempt: int, sent_at: int, items: Sequence[Any]) -> None:
        """Run one batch: tasks `first`, `first` + 1, …, sent at `sent_at` (ns, CLOCK_MONOTONIC)."""
        # Every task goes through this loop, so it uses local names, and avoids calls. The order of its steps is what
        # makes a death harmless:
        #
        # - BEGAN is written before TASK (see `Board.begin`).
        # - A line is written before USED, which makes it visible: the parent never reads half a line.
        # - A run is sent before `start_run` forgets it. A death in between leaves its lines in the pipe and on the
        #   board, which the ledger books once; the other order would lose them.
        board, words, kept = self._board, self._board.words, self._board.lines
        invoke, line_of, now = self._invoke, self._lines.line, time.monotonic_ns
        self._lines.begin_batch(attempt, sent_at)
        task, used = first, 0
        self._sent = now()
        send_at = self._sent + SEND_INTERVAL
        board.start_run(first)
        for item in items:
            if words[STOP]:
                self._send_run(used)
                self._child.send(DROPPED)
                return
            words[BEGAN] = began = now()
            words[TASK] = task + 1
            failure = None
            try:
                value = invoke(item)
            except BaseException as error:  # noqa: BLE001 -- whatever it is, it is this task's outcome
                ended = now()
                value, outcome, failure = None, *judge(None, error)
            else:
                ended = now()
                if type(value) not in PLAIN_TYPES:
                    outcome, failure = judge(value, None)
            if unfinished:
                flush_output()
            if failure is not None:
                self._send_run(used)
                times = (ended - began) / 1e9, (began - sent_at) / 1e9
                self._send_failure(task, attempt, item, outcome, failure, times)
                task, used = task + 1, 0
                board.start_run(task)
                continue
            text = str(value) if type(value) is int and -SMALL < value < SMALL else to_json(value)
            line = line_of(task, text, began, ended)
            end = used + len(line)
            if end > ROOM:
                self._send_run(used)
                board.start_run(task)
                used, end = 0, len(line)
            kept[used:end] = line
            words[USED] = used = end
            task += 1
            if ended > send_at:
                self._send_run(used)
                board.start_run(task)
                used, send_at = 0, ended + SEND_INTERVAL
        self._send_run(used)
        board.end()

    def _send_run(self, used: int) -> None:
        before, self._sent = self._sent, time.monotonic_ns()
        if used:
            took = self._sent - before
            self._child.send(RUN, run_head(self._board.words[FIRST], took), self._board.lines[:used])

    def _send_failure(
        self,
        task: int,
        attempt: int,
        item: Any,
        outcome: Outcome,
        error: BaseException,
        times: tuple[float, float],
    ) -> None:
        """Report a task that failed. `times` are how long it ran and how long it waited, in seconds."""
        duration, waited = times
        ended = Call(outcome, None, error, time.time(), duration)
        args, kwargs = self._arguments(self._loaded(item))
        about = self._about | {"task": task, "attempt": attempt, "waited": round(waited, 6)}
        if self._keyed is not None:
            about |= self._keyed.fields
        code = CODES[outcome]
        delay = self._retry_policy.delay(attempt, outcome, error)
        if delay is None:
            line = result_line(about, ended, args, kwargs)
            self._child.send(RESULT, result_body(task, code, line))
        else:
            about |= {"event": "task.retried", "retry_in": round(delay, 6)}
            line = result_line(about, ended, args, kwargs)
            self._child.send(RETRY, retry_body(task, code, delay, line))

    def _loaded(self, item: Any) -> Any:
        """Return the item for the log, or what the parent sent: loading the item may be what failed."""
        try:
            return item if self._load is None else self._load(item)
        except BaseException:  # noqa: BLE001 -- unpickling calls the user's code, which may raise SystemExit
            return item


class _CountingServer(Server):
    """Counts tasks that return, for a log that has lines only for failures.

    It has a loop of its own: sharing steps with `Server` would need calls, which cost more than counting.
    """

    def run(self, first: int, attempt: int, sent_at: int, items: Sequence[Any]) -> None:
        board, words = self._board, self._board.words
        invoke, now = self._invoke, time.monotonic_ns
        task = run_first = first
        self._sent = now()
        send_at = self._sent + SEND_INTERVAL
        board.start_run(first)
        for item in items:
            if words[STOP]:
                self._send_count(run_first, task)
                self._child.send(DROPPED)
                return
            words[BEGAN] = began = now()
            words[TASK] = task + 1
            failure = None
            try:
                value = invoke(item)
            except BaseException as error:  # noqa: BLE001 -- whatever it is, it is this task's outcome
                outcome, failure = judge(None, error)
            else:
                if type(value) not in PLAIN_TYPES:
                    outcome, failure = judge(value, None)
            if unfinished:
                flush_output()
            if failure is not None:
                self._send_count(run_first, task)
                times = (now() - began) / 1e9, (began - sent_at) / 1e9
                self._send_failure(task, attempt, item, outcome, failure, times)
                task = run_first = task + 1
                board.start_run(task)
                continue
            task += 1
            words[USED] = task - run_first
            if began > send_at:
                self._send_count(run_first, task)
                board.start_run(task)
                run_first, send_at = task, began + SEND_INTERVAL
        self._send_count(run_first, task)
        board.end()

    def _send_count(self, run_first: int, task: int) -> None:
        before, self._sent = self._sent, time.monotonic_ns()
        if task > run_first:
            self._child.send(COUNTED, counted_body(run_first, self._sent - before, task - run_first))


def _invoker(work: PoolWork, function: Callable[..., Any], load: Load | None) -> Callable[[Any], Any]:
    """Return the function that makes the call from what the parent sent for one item."""
    make_call = by_call(work.call, function, work.kwargs)
    if load is None:
        return make_call
    if work.decoding is not None:
        return decoded(make_call, load, work.decoding)
    return lambda item: make_call(load(item))
