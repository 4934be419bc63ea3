"""What children share, in the program of `mprun plan --python`: it saves what a run saves, with every start method."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import get_args

import numpy
import pytest
from conftest import COMMAND, CommandLine

from mprun.plan.plan import StartMethod

JOBS = """
import multiprocessing, os, queue, sys

def fill(first, image, value=1):
    image[first] = value
    return type(image).__name__

def as_list(image, *others): return [image.tolist(), str(image.dtype), list(image.shape)]
def writable(item, image, own): return [image.flags.writeable, own.flags.writeable]
def part(image, row): return image[row]
def total(image): return int(image.sum())

def put(rows, *numbers):
    for number in numbers:
        rows.put(number)

def add_up(rows): return sum(rows)
def double(rows, doubled):
    for number in rows:
        doubled.put(2 * number)

def crawl(pages):
    "Each page leads to two more, below 32."
    seen = 0
    for page in pages:
        seen += 1
        for more in (2 * page, 2 * page + 1):
            if more < 32:
                pages.put(more)
    return seen

def start_at(pages, page): pages.put(page)
def add(*numbers): return sum(numbers)

def until_it_ends(rows):
    got = []
    try:
        while True:
            got.append(rows.get())
    except EOFError:
        return sorted(got)

def get_in_time(rows):
    got = []
    while len(got) < 3:
        try:
            got.append(rows.get(True, 0.01))
        except queue.Empty:
            pass
    return sorted(got) + [rows.qsize()]

def try_to_put(rows):
    "There is room for one."
    rows.put_nowait("first")
    try:
        rows.put_nowait("second")
    except queue.Full:
        return "full"

def sentinel(rows):
    rows.put(1)
    rows.put(None)

def until_none(rows): return list(iter(rows.get, None))
def leave(rows, code):
    rows.put(code)
    sys.exit(code)

def deal(work):
    for number in work:
        work.task_done()

def put_and_join(work):
    put(work, 1, 2, 3)
    work.join()
    return "done"

def count(item, lock, number, by=1):
    with lock:
        number.value += by
    return item

def start(number): number.value += 100
def read(number, *others): return number.value
def text(letters, letter): return (letters[:] + letter.value).decode()
def told(finals): return len(finals)
def table(size): return list(range(size))
def at(position, table): return table[position]
def sizes(x, y, image, scale): return [x, y, image.shape[0] * scale]
def spread(a, b, lock): return [a, b, lock.acquire()]
"""

FLOWS = {
    "an array of zeros": """
        shared: {image: {array: {shape: [3, 2], dtype: uint8}}}
        pools:
          fill: {target: jobs:fill, map: [0, 2], kwargs: {image: "${shared.image}", value: 7}, save: fill.json}
        processes:
          all: {target: jobs:as_list, args: ["${shared.image}"], needs: fill, save: all.json}
        """,
    "an array of a file": """
        shared: {image: {array: {file: image.npy}}, other: {array: {shape: 0, dtype: U3}}}
        processes:
          fill: {target: jobs:fill, args: [1, "${shared.image}"], kwargs: {value: 2.5}}
          all: {target: jobs:as_list, args: ["${shared.image}", "${shared.other}"], needs: fill, save: all.json}
          part: {target: jobs:part, args: ["${shared.image}", 0], needs: fill}
          total: {target: jobs:total, args: ["${results.part}"], save: total.json}
        """,
    "the file of an array itself": """
        shared:
          image: {array: {file: image.npy, mmap_mode: r}}
          own: {array: {file: image.npy, mmap_mode: c}}
        pools:
          writable:
            target: jobs:writable
            map: [1]
            kwargs: {image: "${shared.image}", own: "${shared.own}"}
            save: writable.json
        processes:
          fill: {target: jobs:fill, args: [1, "${shared.own}"], save: fill.json}
          all: {target: jobs:as_list, args: ["${shared.own}"], needs: fill, save: all.json}
        """,
    "queues": """
        shared: {rows: {Queue: 2}, doubled: SimpleQueue}
        processes:
          a: {target: jobs:put, args: ["${shared.rows}", 1, 2, 3, 4, 5]}
          b: {target: jobs:put, foreach: [10, 20, 30], args: ["${shared.rows}", "${item}"], max_parallel: 2}
          c: {target: jobs:double, foreach: [1, 2], args: ["${shared.rows}", "${shared.doubled}"], max_parallel: 2}
          sum: {target: jobs:add_up, args: ["${shared.doubled}"], save: sum.json}
        """,
    "a queue whose readers put into it": """
        shared: {pages: Queue}
        processes:
          first: {target: jobs:start_at, args: ["${shared.pages}", 1]}
          crawl: {target: jobs:crawl, foreach: [1, 2, 3], args: ["${shared.pages}"], max_parallel: 3}
          all:
            target: jobs:add
            args: ["${results.crawl.0}", "${results.crawl.1}", "${results.crawl.2}"]
            save: all.json
        """,
    "a queue read otherwise": """
        shared: {rows: {Queue: 3}, more: Queue, few: {Queue: 1}, said: Queue}
        processes:
          put: {target: jobs:put, args: ["${shared.rows}", 3, 1, 2, 4]}
          get: {target: jobs:until_it_ends, args: ["${shared.rows}"], save: get.json}
          three: {target: jobs:put, args: ["${shared.more}", 5, 6, 7]}
          in_time: {target: jobs:get_in_time, args: ["${shared.more}"], save: in_time.json}
          full: {target: jobs:try_to_put, args: ["${shared.few}"], save: full.json}
          emptied: {target: jobs:until_it_ends, args: ["${shared.few}"], needs: full, save: emptied.json}
          say: {target: jobs:sentinel, args: ["${shared.said}"]}
          hear: {target: jobs:until_none, args: ["${shared.said}"], save: hear.json}
        """,
    "a queue of work": """
        shared: {work: {JoinableQueue: 1}}
        processes:
          put: {target: jobs:put_and_join, args: ["${shared.work}"], save: put.json}
          deal: {target: jobs:deal, args: ["${shared.work}"]}
        """,
    "tasks that are given a lock": """
        shared: {lock: Lock, n: {Value: [i, 0]}, m: {Value: [i, 0]}}
        pools:
          some:
            {target: jobs:count, map: {range: 20}, kwargs: {lock: "${shared.lock}", number: "${shared.n}"},
             initializer: jobs:start, initargs: ["${shared.n}"], processes: 1, save: some.json}
          one:
            target: jobs:count
            apply: {args: [x, "${shared.lock}"], kwargs: {number: "${shared.m}", by: 5}}
            save: one.json
          others:
            target: jobs:count
            imap_unordered: [1]
            kwargs: {lock: "${shared.lock}", number: "${shared.m}"}
            maxtasksperchild: 1
        processes:
          n: {target: jobs:read, args: ["${shared.n}"], needs: some, save: n.json}
          m: {target: jobs:read, args: ["${shared.m}"], needs: [one, others], save: m.json}
        """,
    "tasks with arguments of several kinds": """
        shared: {image: {array: {shape: 4, dtype: f8}}, lock: {Semaphore: 9}}
        pools:
          matrix:
            target: jobs:sizes
            matrix: {x: [1, 2], y: [3]}
            kwargs: {image: "${shared.image}", scale: 2}
            save: m.json
          star: {target: jobs:spread, starmap: [[1, 2], {a: 3, b: 4}], kwargs: {lock: "${shared.lock}"}, save: s.json}
        """,
    "workers that share, and leave something at their end": """
        shared: {lock: Lock, n: {Value: [i, 0]}}
        pools:
          some:
            {target: jobs:count, map: {range: 20}, kwargs: {lock: "${shared.lock}", number: "${shared.n}"},
             initializer: jobs:start, initargs: ["${shared.n}"], finalizer: os:getcwd, processes: 2, save: some.json}
        processes:
          n: {target: jobs:read, args: ["${shared.n}"], needs: some, save: n.json}
          ends: {target: jobs:told, args: ["${results.some.finals}"], save: ends.json}
        """,
    "objects and letters": """
        shared:
          table: {object: {call: jobs:table, args: [100]}}
          letters: {Array: [c, [a, b]]}
          letter: {Value: [c, "!"]}
        pools:
          at: {target: jobs:at, map: {range: 5}, kwargs: {table: "${shared.table}"}, save: at.json}
        processes:
          text: {target: jobs:text, args: ["${shared.letters}", "${shared.letter}"], save: text.json}
        """,
}


@pytest.fixture
def flows(mprun: CommandLine) -> CommandLine:
    mprun.write("flows/jobs.py", JOBS)
    numpy.save(mprun.folder / "flows" / "image.npy", numpy.array([[1.0, 2.0], [3.0, 4.0]]))
    return mprun


def saved(folder: Path) -> dict[str, str]:
    """What was saved in `folder`, which is gone afterwards."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    for name in texts:
        (folder / name).unlink()
    return texts


@pytest.mark.parametrize("start_method", get_args(StartMethod))
@pytest.mark.parametrize("name", FLOWS)
def test_the_program_saves_what_a_run_saves(flows: CommandLine, name: str, start_method: str) -> None:
    head = f"name: flow\nstart_method: {start_method}\n"
    flows.write("flows/flow.yaml", head + FLOWS[name].replace("\n        ", "\n").lstrip("\n"))
    ran = flows("flows/flow.yaml", "--quiet")
    assert (ran.code, ran.stderr) == (0, "")
    by_run = saved(flows.folder / "flows")
    assert by_run
    program = flows("plan", "flows/flow.yaml", "--python")
    assert (program.code, program.stderr) == (0, "")
    flows.write("program.py", program.stdout)
    did = flows.shell(f"{shlex.quote(COMMAND[0])} -I -W error program.py")
    assert (did.code, did.stderr) == (0, "")
    assert saved(flows.folder / "flows") == by_run
