"""The log's line of a task that returned, made in less time than it takes to format its numbers.

A worker makes a line after each task, however quick the task is. What is the same for many lines is kept as text, the
time down to the millisecond included; the digits behind it come from a table. `returned.KEYS` has the order of the
keys, for those who read such lines in bulk.
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
_QUICK = tuple(f',"duration":0.000{digits},"waited":' for digits in _THREE_DIGITS)  # for each duration below 1 ms


class TaskLines:
    """The open lines of one worker's tasks; `about` are the fields that all of them share."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = f'Z",{inner_text(about)},"task":'
        self.begin_batch(1, 0)

    def begin_batch(self, attempt: int, sent_at: int) -> None:
        """The next lines are of tasks at this attempt, sent at `sent_at` (ns, CLOCK_MONOTONIC)."""
        self._returned = f',"attempt":{attempt},"outcome":"returned","result":'
        self._since_epoch = time.time_ns() - time.monotonic_ns()
        self._sent_at = sent_at
        self._stamp_began = self._stamp_ends = 0  # the millisecond that `_stamp` is of
        self._stamp = ""
        self._waited_began = self._waited_ends = 0
        self._waited = ""

    def line(self, task: int, result: str, began: int, ended: int) -> bytes:
        """The line of `task`, which returned what is `result` in JSON; its times are ns on CLOCK_MONOTONIC."""
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
    """Lines with the key of each task: `key_of_last()` is that of the last one, None where it has none."""

    def __init__(self, about: Mapping[str, Any], key_of_last: Callable[[], str | None]) -> None:
        super().__init__(about)
        self._key_of_last = key_of_last

    def begin_batch(self, attempt: int, sent_at: int) -> None:
        super().begin_batch(attempt, sent_at)
        self._without_key = self._returned

    def line(self, task: int, result: str, began: int, ended: int) -> bytes:
        key = self._key_of_last()
        key_text = "" if key is None else f',"key":{json.dumps(key, ensure_ascii=False)}'
        self._returned = key_text + self._without_key  # what follows the task
        return super().line(task, result, began, ended)


class Recorded(NamedTuple):
    """What the line of a call that returned says, as it stands there, for the line of a run that reuses the call.

    `key` is empty where the line has none.
    """

    result: bytes
    duration: bytes
    key: bytes


NOT_RECORDED = Recorded(b"null", b"0", b"")  # of a call that was only counted


class ReusedLines:
    """The open lines, without newlines, of calls that the run `run_id` has made.

    `about` are the fields that all of them share.
    """

    def __init__(self, about: Mapping[str, Any], run_id: str) -> None:
        self._about = inner_text(about).encode()
        self._reused = b',"reused":"%b"}' % run_id.encode()

    def line(self, recorded: Recorded, task: int | None = None) -> bytes:
        """The line of a call that is reported now; `task` is its index where `about` doesn't have it."""
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
