"""What flows between steps, in a run and in the program of `mprun plan --python`: both save the same files."""

from __future__ import annotations

import shlex

import pytest
from conftest import COMMAND, CommandLine

JOBS = """
import csv, sys
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Literal, NamedTuple, Sequence
from uuid import UUID

class Color(Enum):
    RED = "red"
    BLUE = 2

@dataclass
class Point:
    x: float
    y: float = 0.5
    color: Color = Color.RED

class Pair(NamedTuple):
    one: int
    two: Path

def echo(value): return value
def add(*numbers, extra=0): return sum(numbers) + extra
def named(name, size=1): return {"name": name, "size": size}
def big(size): return "x" * size
def leave(code): sys.exit(code)
def told(*words, **more): return [list(words), more]
def point(at: Point) -> str: return repr(at)
def typed(day: date, *paths: Path, wait: timedelta = timedelta(0), price: Decimal | None = None,
          pair: tuple[int, ...] = (), color: Color = Color.RED, of: set[str] = frozenset(),
          who: UUID | None = None, mode: Literal["a", "b"] = "a", days: dict[str, date] | None = None,
          at: Sequence[Path] = (), named: Pair | None = None, either: int | str = 0, plain=None):
    return repr((day, paths, wait, price, pair, color, sorted(of), who, mode, days, at, named, either, plain))
def scale(factor: float, of: int | None): return [repr(factor), repr(of)]
def numbers(count: int):
    yield from range(count)
def points(count): return [Point(number, 1.5) for number in range(count)]
START: list[Path] = []
def begin(path: Path): START.append(path)
def began(_): return repr(START)
SEEN = []
def see(number):
    SEEN.append(number)
    return number
def seen(): return SEEN
def all_seen(finals): return sorted(number for final in finals for number in final)
def started(): return [str(path) for path in START]
"""

FLOWS = {
    "results": """
        pools:
          three: {target: jobs:echo, map: [1, 2, 3]}
          sum:
            target: jobs:add
            apply: {args: ["${results.three.0}", "${results.three.2}"], kwargs: {extra: "${results.three.1}"}}
            save: sum.json
          more: {target: jobs:add, imap: "${results.three}", kwargs: {extra: "${results.three.2}"}, save: more.json}
          of_list: {target: jobs:add, map: "${results.list}", kwargs: {extra: 1}, save: of_list.json}
        processes:
          list: {target: jobs:echo, args: [[5, 6]]}
          one: {target: jobs:named, args: [one]}
          told:
            target: jobs:told
            args: ["is ${results.one.name}: ${results.one}", "${results.one.size}"]
            save: told.json
          more_than_a_pipe_holds: {target: jobs:big, args: [1000000]}
          as_large: {target: jobs:big, args: [1000000], save: as_large.json}
          passed_on: {target: jobs:echo, args: ["${results.more_than_a_pipe_holds}"], save: passed_on.json}
          left: {target: jobs:leave, args: [0], save: left.json}
        """,
    "cells": """
        pools:
          pq: {target: jobs:named, map: [p, q]}
        processes:
          each:
            target: jobs:named
            foreach: [x, "y'", 3]
            args: ["${item}"]
            kwargs: {size: "n-${item}"}
            save: each.jsonl
          more_than_go_at_once: {target: jobs:echo, foreach: {range: 9}, args: ["${item}"], max_parallel: 2}
          two: {target: jobs:add, args: ["${results.more_than_go_at_once.8}", 1], save: two.json}
          matrix:
            target: jobs:named
            matrix: {name: [a, b], size: {range: 2}, exclude: [{name: a, size: 0}]}
            save: matrix.csv
          zip:
            target: jobs:told
            zip: {name: [a, b], size: [1, 2]}
            args: ["${matrix.name}", "${matrix.size}x"]
            save: zip.json
          of_results: {target: jobs:told, foreach: "${results.pq}", args: ["${item.name}", "${item}"], save: of.json}
          cell: {target: jobs:echo, foreach: [1], args: ["${item}"]}
          item: {target: jobs:echo, foreach: "${results.cell}", args: ["${item}"]}
          FanOut: {target: jobs:echo, args: ["${results.item}"]}
          save: {target: jobs:echo, args: ["${results.FanOut}"], save: save.json}
        """,
    "commands": """
        processes:
          a: {command: [echo, hello, 5, -1.0, "a  b"], save: a.json}
          b: {command: [printf, "%s|", "${results.a}", "${results.n.1}", "${results.n}"], save: b.json}
          c: {command: [echo, "<${item}>"], foreach: [1, x], save: c.json}
        pools:
          n: {target: jobs:echo, map: [1, null]}
          d: {command: [echo, "${item}"], imap: {lines: lines.txt}, save: d.json}
          e: {command: [echo, "${matrix.a}-${matrix.b}"], matrix: {a: [1, x], b: [true]}, save: e.json}
          f: {command: [echo, once], apply: {}, save: f.json}
          g: {command: [echo, "${item.1}"], starmap: [[a, b], [c, null]], save: g.json}
          h: {command: [echo, "${item.x}"], starmap: {csv: points.csv}, save: 'say "h".json'}
        """,
    "annotations": """
        processes:
          a:
            target: jobs:typed
            args: [2026-01-31, x.txt, y]
            kwargs:
              {wait: 1m30s, price: "1.10", pair: [1, 2], color: RED, of: [b, a], mode: b, days: {one: 2026-02-01},
               who: 12345678-1234-5678-1234-567812345678, at: [p, q], named: {one: 1, two: t}, either: z,
               plain: {k: [1]}}
            save: a.json
          b:
            target: jobs:typed
            args: [2026-01-31]
            kwargs: {wait: 1.5, price: 0.1, color: 2, named: [1, t]}
            save: b.json
          c: {target: jobs:point, foreach: [{x: 1}, {x: 2, y: 3, color: 2}], args: ["${item}"], save: c.json}
          made: {target: jobs:points, args: [2]}
        pools:
          d: {target: jobs:scale, starmap: [[1, null], [2.5, 3]], save: d.json}
          e: {target: jobs:scale, matrix: {factor: [1], of: [null, 2]}, save: e.json}
          f: {target: jobs:point, map: [{x: 1}], initializer: jobs:begin, initargs: [here], save: f.json}
          g: {target: jobs:began, map: [1], initializer: jobs:begin, initargs: [here], processes: 1, save: g.json}
          h: {target: jobs:point, map: "${results.made}", save: h.json}
        """,
    "rows": """
        pools:
          a: {target: jobs:point, map: {csv: points.csv}, save: a.json}
          colors: {target: jobs:point, map: {csv: colors.csv, first: 2}, save: colors.json}
          b: {target: jobs:scale, starmap: {csv: scale.csv}, save: b.json}
          c: {target: jobs:named, starmap: {csv: rows.csv}, kwargs: {size: 5}, save: c.csv}
          d: {target: jobs:named, starmap: [{name: x}, [y, 2]], save: d.csv}
          e: {target: jobs:add, starmap: {call: jobs:pairs, args: [2]}, save: e.json}
        """,
    "files": """
        pools:
          a: {target: jobs:echo, map: [é, null, [1, {b: 2.5}]], save: a.json}
          b: {target: jobs:echo, map: [[1, "x,y"], ["", true]], save: b.csv}
          c: {target: jobs:echo, map: [1, 2], save: c.pickle}
          d: {target: jobs:points, map: [2], save: d.pickle}
          e: {target: jobs:echo, apply: {args: [[{a: 1}, {a: 2}]]}, save: e.csv}
          f: {target: jobs:echo, apply: {args: [[{a: 1}, {a: 2}]]}, save: f.jsonl}
          g: {target: jobs:echo, apply: {args: [{a: 1}]}, save: g.jsonl}
          h: {target: jobs:echo, imap: {lines: lines.txt, skip: 2}, save: h.json}
        processes:
          i: {target: jobs:echo, args: [[1, 2]], save: i.json}
        """,
    "finals": """
        pools:
          a: {target: jobs:see, map: {range: 20}, processes: 3, finalizer: jobs:seen}
          b: {target: jobs:see, imap: [1, 2, 3], processes: 1, chunksize: 1, maxtasksperchild: 1, finalizer: jobs:seen}
          c: {target: jobs:point, map: [{x: 1}], initializer: jobs:begin, initargs: [x], processes: 2, engine: stdlib,
              finalizer: jobs:started}
          finals_of: {target: jobs:all_seen, apply: {args: ["${results.a.finals}"]}, save: a.json}
          d: {target: jobs:echo, map: "${results.c.finals}", save: d.json}
          e: {target: jobs:see, map: [1], processes: 1, finalizer: jobs:seen}
          f: {target: jobs:echo, apply: {args: ["${results.e.finals.0.0}"]}, save: f.json}
        processes:
          b_finals: {target: jobs:all_seen, args: ["${results.b.finals}"], save: b.json}
        """,
    "conditions": """
        params: {deep: false}
        processes:
          a: {target: jobs:echo, args: [1], if: "not ${params.deep}", save: a.json}
          b: {target: jobs:echo, args: [1], if: "${params.deep}", save: b.json}
          c: {target: jobs:echo, args: ["${results.b}"], save: c.json}
        """,
}

FILES = {
    "lines.txt": "one\ntwo words\n",
    "points.csv": "x,y,more\n1,2,z\n3,4,z\n",
    "colors.csv": "x,color\n1,red\n2,BLUE\n",
    "scale.csv": "factor,of\n1,2\n2.5,\n",
    "rows.csv": "name\nx\ny\n",
}


@pytest.fixture
def flows(mprun: CommandLine) -> CommandLine:
    mprun.write("flows/jobs.py", JOBS + "def pairs(count): return ([n, n] for n in range(count))\n")
    for name, text in FILES.items():
        mprun.write(f"flows/{name}", text)
    return mprun


def files(flows: CommandLine) -> dict[str, bytes]:
    """What was saved below the folder of the workflow; it is gone afterwards."""
    there = [path for path in sorted((flows.folder / "flows").rglob("*")) if path.suffix in SAVED]
    saved = {path.name: path.read_bytes() for path in there if path.name not in FILES}
    for path in there:
        if path.name in saved:
            path.unlink()
    return saved


SAVED = (".json", ".jsonl", ".csv", ".pickle")


@pytest.mark.parametrize("name", FLOWS)
def test_the_program_saves_what_a_run_saves(flows: CommandLine, name: str) -> None:
    flows.write("flows/flow.yaml", "name: flow\n" + FLOWS[name].replace("\n        ", "\n").lstrip("\n"))
    ran = flows("flows/flow.yaml", "--quiet")
    assert (ran.code, ran.stderr) == (0, "")
    by_run = files(flows)
    assert by_run
    program = flows("plan", "flows/flow.yaml", "--python")
    assert (program.code, program.stderr) == (0, "")
    (flows.folder / "program.py").write_text(program.stdout)
    did = flows.shell(f"{shlex.quote(COMMAND[0])} -I -W error program.py")
    assert (did.code, did.stderr) == (0, "")
    assert files(flows) == by_run
