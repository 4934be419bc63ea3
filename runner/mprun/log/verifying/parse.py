"""A log's lines in bulk: nearly all of a long log are results of tasks that returned.

One regular expression takes them apart, many at a time. It takes a line only where parsing its JSON would say the same:
the keys in the order that workers write them, once each, a simple result. All other lines are left to be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from operator import itemgetter

from mprun.log.verifying.tasks import runs_of

_INT = rb"(?:0|[1-9]\d{0,17}+)"
_NUMBER = rb"-?+" + _INT + rb"(?:\.\d++)?+(?:[eE][-+]?+\d++)?+"
_RESULT = rb"(?:" + _NUMBER + rb'|true|false|null|"[ !#-\[\]-~]*+")'
_LINE = re.compile(
    rb'^\{"seq":(' + _INT + rb'),(?:"ts":"[\dT:.Z-]{27}","event":"task\.result","step":"([A-Za-z_][\w-]*+)",'
    rb'"worker":' + _INT + rb',"task":(' + _INT + rb'),"attempt":' + _INT + rb',"outcome":"returned",'
    rb'"result":' + _RESULT + rb',"duration":' + _NUMBER + rb',"waited":' + _NUMBER + rb"\}\n|([^\n]*+)\n)",
    re.MULTILINE,
)
_SEQ, _STEP, _TASK = map(itemgetter, range(3))


@dataclass(frozen=True, slots=True)
class Returned:
    """Lines that follow one another: results of tasks of `step` that returned. `seq` is the first line's.

    `runs` are the tasks in their order, as (first, end).
    """

    step: str
    seq: int
    runs: list[tuple[int, int]]

    @property
    def tasks(self) -> Iterator[int]:
        return (task for first, end in self.runs for task in range(first, end))

    @property
    def lines(self) -> int:
        return sum(end - first for first, end in self.runs)


Parsed = Returned | bytes  # results in bulk, or a line


def parse(block: bytes) -> list[Parsed]:
    """What stands in `block`, some whole lines."""
    rows = _LINE.findall(block)
    if (
        not rows
        or len(rows) != block.count(b"\n")
        or not block.endswith(b"\n")
        or not _in_order(list(map(int, map(_SEQ, rows))))
    ):
        return list(BytesIO(block))  # unlike splitlines, it takes no `\r` for an end
    found: list[Parsed] = []
    done = 0
    for step, some in groupby(rows, _STEP):
        if step:
            runs = list(runs_of(list(map(int, map(_TASK, some)))))
            found.append(Returned(step.decode(), int(rows[done][0]), runs))
            done += sum(end - first for first, end in runs)
        else:
            lines = [b'{"seq":%b,%b\n' % (row[0], row[3]) for row in some]
            found += lines
            done += len(lines)
    return found


def _in_order(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
