"""Makes the log's line of a task that returned in less time than formatting its numbers would take.

A worker makes a line after each task, however quick the task is. Text that many lines share is stored, including the
time down to the millisecond; a table has the digits after it. `returned.KEYS` defines the order of the keys for bulk
readers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mprun.log.codec.lines import inner_text
from mprun.log.words import timestamp

MILLI = 1_000_000  # ns
MICRO = 1_000  # ns

_THREE_DIGITS = tuple(f"{number:03d}" for number in range(1000))
_QUICK = tuple(f',"duration":0.000{digits},"waited":' for digits in _THREE_DIGITS)  # one for each duration below 1 ms


class TaskLines:
    """Makes the open lines of one worker's tasks. All of them share the fields `about`."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = f'Z",{inner_text(about)},"task":'
        self.begin_batch(1, 0)

    def begin_batch(self, attempt: int, sent_at: int) -> None:
        """Make the next lines for tasks of this attempt, sent at `sent_at` (ns, CLOCK_MONOTONIC)."""
        self._returned = f',"attempt":{attempt},"outcome":"returned","result":'
        # Measured for each batch: the wall clock may be set while a worker lives. Within a batch, times never go
        # backwards.
        self._since_epoch = time.time_ns() - time.monotonic_ns()
        self._sent_at = sent_at
        self._stamp_began = self._stamp_ends = 0  # the millisecond of `_stamp`
        self._stamp = ""
        self._waited_began = self._waited_ends = 0
        self._waited = ""

    def line(self, task: int, result: str, began: int, ended: int) -> bytes:
        """Return the line of `task`, which returned `result` (JSON text).

        `began` and `ended` are the times of the call (ns, CLOCK_MONOTONIC).
        """
        if ended >= self._stamp_ends:
            self._turn_stamp(ended)
        if began >= self._waited_ends:
            self._turn_waited(began)
        took = (ended - began) // MICRO
        duration = _QUICK[took] if took < 1000 else f',"duration":{_seconds(took)},"waited":'
        stamp_digits = _THREE_DIGITS[(ended - self._stamp_began) // MICRO]
        waited_digits = _THREE_DIGITS[(began - self._waited_began) // MICRO]
        return (
            f"{self._stamp}{stamp_digits}{self._about}{task}{self._returned}{result}"
            f"{duration}{self._waited}{waited_digits}}}\n"
        ).encode()

    def _turn_stamp(self, ended: int) -> None:
        milliseconds = (self._since_epoch + ended) // MILLI
        self._stamp_began = milliseconds * MILLI - self._since_epoch
        self._stamp_ends = self._stamp_began + MILLI
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
        self._stamp = f'"ts":"{seconds}.{milliseconds % 1000:03d}'

    def _turn_waited(self, began: int) -> None:
        milliseconds = (began - self._sent_at) // MILLI
        self._waited_began = self._sent_at + milliseconds * MILLI
        self._waited_ends = self._waited_began + MILLI
        self._waited = f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


class KeyedTaskLines(TaskLines):
    """Makes lines with the key of each task. `key_of_last()` returns the key of the last task, None if it has none."""

    def __init__(self, about: Mapping[str, Any], key_of_last: Callable[[], str | None]) -> None:
        super().__init__(about)
        self._key_of_last = key_of_last

    def begin_batch(self, attempt: int, sent_at: int) -> None:
        super().begin_batch(attempt, sent_at)
        self._without_key = self._returned

    def line(self, task: int, result: str, began: int, ended: int) -> bytes:
        key = self._key_of_last()
        key_text = "" if key is None else f',"key":{json.dumps(key, ensure_ascii=False)}'
        self._returned = key_text + self._without_key  # the key follows the task in the line
        return super().line(task, result, began, ended)


class Recorded(NamedTuple):
    """The content of the line of a call that returned, as JSON text, for the line of a run that reuses the call.

    `key` is empty if the line has none.
    """

    result: bytes
    duration: bytes
    key: bytes


NOT_RECORDED = Recorded(b"null", b"0", b"")  # for a call that was only counted


class ReusedLines:
    """Makes the open lines, without newlines, of calls that the earlier run `run_id` made.

    All lines share the fields `about`.
    """

    def __init__(self, about: Mapping[str, Any], run_id: str) -> None:
        self._about = inner_text(about).encode()
        self._reused = b',"reused":"%b"}' % run_id.encode()

    def line(self, recorded: Recorded, task: int | None = None) -> bytes:
        """Return the line of a call, with the current time; `task` is its index unless `about` has it."""
        result, duration, key = recorded
        return b'"ts":"%b",%b%b%b,"attempt":1,"outcome":"returned","result":%b,"duration":%b%b' % (
            timestamp(time.time()).encode(),
            self._about,
            b"" if task is None else b',"task":%d' % task,
            b',"key":%b' % key if key else b"",
            result,
            duration,
            self._reused,
        )


def _seconds(microseconds: int) -> str:
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"
