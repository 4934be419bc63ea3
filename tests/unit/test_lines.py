"""Lines that are put together by hand, for speed, are what formatting each number would give."""

from __future__ import annotations

import itertools
import json
import random
import time

import pytest

from mprun.log.codec import task_lines as lines_module
from mprun.log.codec.numbering import numbered
from mprun.log.codec.task_lines import TaskLines
from mprun.log.words import timestamp

ABOUT = {"event": "task.result", "step": "100 % naïve", "worker": 3}
EPOCH = 1_790_000_000_123_456_789  # ns since the epoch where CLOCK_MONOTONIC is 0
HANDED = 5_000_000_400  # ns

MICRO, MILLI, SECOND = 1_000, 1_000_000, 1_000_000_000
TIMES = (0, 1, MICRO - 1, MICRO, MILLI - 1, MILLI, 17 * MILLI, SECOND - 1, SECOND, 61 * SECOND, 3 * 3600 * SECOND)


class Clock:
    """CLOCK_MONOTONIC stands at 0: the distance between the two clocks is EPOCH."""

    strftime = staticmethod(time.strftime)
    gmtime = staticmethod(time.gmtime)

    @staticmethod
    def time_ns() -> int:
        return EPOCH

    @staticmethod
    def monotonic_ns() -> int:
        return 0


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> TaskLines:
    monkeypatch.setattr(lines_module, "time", Clock)
    made = TaskLines(ABOUT)
    made.begin_batch(2, HANDED)
    return made


def plainly(task: int, result: str, began: int, ended: int) -> str:
    """The line as one would write it."""
    fields = {"ts": timestamp((EPOCH + ended) // MICRO / MILLI), **ABOUT, "task": task, "attempt": 2}
    head = json.dumps({**fields, "outcome": "returned"}, ensure_ascii=False, separators=(",", ":"))
    took, waited = (f"{ns // SECOND}.{ns % SECOND // MICRO:06d}" for ns in (ended - began, began - HANDED))
    return f'{head[1:-1]},"result":{result},"duration":{took},"waited":{waited}}}\n'


@pytest.mark.parametrize(("waited", "took"), list(itertools.product(TIMES, TIMES)))
def test_the_line_of_one_task(lines: TaskLines, waited: int, took: int) -> None:
    began = HANDED + waited
    assert lines.line(7, '"ü"', began, began + took).decode() == plainly(7, '"ü"', began, began + took)


def test_the_lines_of_many_tasks_in_a_row(lines: TaskLines) -> None:
    now, dice = HANDED, random.Random(1)
    for task in range(3_000):
        began = now + dice.randrange(2_000)
        now = began + dice.choice((300, 40_000, 999_999, 1_000_000, 2_500_000))
        assert lines.line(task, str(task), began, now).decode() == plainly(task, str(task), began, now)


@pytest.mark.parametrize("seq", [0, 1, 7, 998, 999, 1000, 1001, 99_999, 1_000_000])
@pytest.mark.parametrize("count", [0, 1, 2, 999, 1000, 1001, 2500])
def test_lines_are_numbered_without_a_gap(seq: int, count: int) -> None:
    lines = [b'"task":%d}' % task for task in range(count)]
    expected = b"".join(b'{"seq":%d,%b\n' % (number, line) for number, line in enumerate(lines, seq))
    assert numbered(lines, seq) == expected
