"""What flows between steps, in a run and in the program of `mprun plan --python`: targets note the same in both."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import get_args

import pytest
from conftest import COMMAND, CommandLine

from mprun.plan.plan import StartMethod

JOBS = """
import queue

STARTED = []

def note(name, *values, **more):
    with open(name + ".txt", "x") as file:
        print(*map(repr, values), *sorted(more.items()), file=file)

def echo(value): return value
def add(*numbers, extra=0): return sum(numbers) + extra
def named(name, size=1): return {"name": name, "size": size}
def pairs(count): return ([n, n] for n in range(count))
def begin(*values): STARTED.extend(values)
def began(item): return [*STARTED, item]

def put(rows, *numbers):
    for number in numbers:
        rows.put(number)

def until_none(name, rows): note(name, list(iter(rows.get, None)))

def in_time(name, rows):
    got = []
    while len(got) < 3:
        try:
            got.append(rows.get(True, 0.01))
        except queue.Empty:
            pass
    note(name, sorted(got), rows.qsize())

def deal(work, count):
    for _ in range(count):
        work.get()
        work.task_done()

def put_and_join(name, work):
    for number in range(3):
        work.put(number)
    work.join()
    note(name, "done")

def count(item):
    lock, number = STARTED
    with lock:
        number.value += item

def add_to(number, by):
    with number.get_lock():
        number.value += by

def read(name, number): note(name, number.value)
def text(name, letters, letter): note(name, (letters[:] + letter.value).decode())
def table(size): return list(range(size))
def meet(gate, state, name): state[name] = gate.wait() < 9
def as_dict(name, state, seen): note(name, dict(sorted(state.items())), list(seen))
def send(end, value): end.send(value)
def receive(name, end): note(name, end.recv())
def set_event(go): go.set()
def wait_for(name, go): note(name, go.wait())
"""

FLOWS = {
    "results": """
        pools:
          three: {target: jobs:echo, map: [1, 2, 3]}
          sum:
            target: jobs:add
            apply: {args: ["${results.three.0}", "${results.three.2}"], kwargs: {extra: "${results.three.1}"}}
          more: {target: jobs:add, imap: "${results.three}", kwargs: {extra: "${results.three.2}"}}
          begun: {target: jobs:began, map: [x], initializer: jobs:begin, initargs: ["${results.sum}"], processes: 1}
        processes:
          single: {target: jobs:note, args: [single, "${results.sum}"]}
          whole: {target: jobs:note, args: [whole, "${results.more}"], kwargs: {of: ["${results.three}"]}}
          after: {target: jobs:note, args: [after, "${results.begun}", "${results.three}"]}
        """,
    "cells": """
        processes:
          each:
            {target: jobs:note, foreach: [x, "y'", z], args: ["${item}", 1], kwargs: {of: ["${item}"]}, max_parallel: 3}
          numbers: {target: jobs:put, foreach: {range: 3}, args: ["${shared.rows}", "${item}"], max_parallel: 3}
          got: {target: jobs:in_time, args: [got, "${shared.rows}"]}
        shared: {rows: Queue}
        """,
    "sources": """
        pools:
          lines: {target: jobs:echo, imap: {lines: lines.txt, skip: 1}}
          files: {target: jobs:echo, map: {glob: "*.csv"}}
          values: {target: jobs:echo, map: {jsonl: values.jsonl}}
          rows: {target: jobs:echo, map: {csv: rows.csv, first: 2}}
          made: {target: jobs:echo, imap: {call: jobs:pairs, args: [3]}}
        processes:
          all:
            target: jobs:note
            args:
              [all, "${results.lines}", "${results.files}", "${results.values}", "${results.rows}", "${results.made}"]
        """,
}

SHARED = {
    "queues that are told their end": """
        shared: {rows: {Queue: 3}, said: SimpleQueue}
        processes:
          put: {target: jobs:put, args: ["${shared.rows}", 3, 1, 2, 4, null]}
          get: {target: jobs:until_none, args: [get, "${shared.rows}"]}
          say: {target: jobs:put, args: ["${shared.said}", a, null]}
          hear: {target: jobs:until_none, args: [hear, "${shared.said}"]}
        """,
    "a queue of work": """
        shared: {work: {JoinableQueue: 1}}
        processes:
          put: {target: jobs:put_and_join, args: [put, "${shared.work}"]}
          deal: {target: jobs:deal, args: ["${shared.work}", 3]}
        """,
    "a lock and a number": """
        shared: {lock: Lock, n: {Value: [i, 0]}}
        pools:
          some:
            {target: jobs:count, map: {range: 20}, initializer: jobs:begin, initargs: ["${shared.lock}", "${shared.n}"]}
        processes:
          n: {target: jobs:read, args: [n, "${shared.n}"], needs: [some, more]}
          more: {target: jobs:add_to, foreach: [5, 7], args: ["${shared.n}", "${item}"], max_parallel: 2}
        """,
    "objects and letters": """
        shared:
          table: {object: {call: jobs:table, args: [3]}}
          letters: {Array: [c, [a, b]]}
          letter: {Value: [c, "!"]}
        processes:
          table: {target: jobs:note, args: [table, "${shared.table}"]}
          text: {target: jobs:text, args: [text, "${shared.letters}", "${shared.letter}"]}
        """,
    "what children meet at": """
        shared: {gate: {Barrier: 2}, go: Event, ends: Pipe, state: {dict: {}}, seen: {list: [1]}}
        processes:
          meet:
            target: jobs:meet
            foreach: [a, b]
            args: ["${shared.gate}", "${shared.state}", "${item}"]
            max_parallel: 2
          met: {target: jobs:as_dict, args: [met, "${shared.state}", "${shared.seen}"], needs: meet}
          send: {target: jobs:send, args: ["${shared.ends.0}", hello]}
          receive: {target: jobs:receive, args: [receive, "${shared.ends.1}"]}
          set: {target: jobs:set_event, args: ["${shared.go}"]}
          wait: {target: jobs:wait_for, args: [wait, "${shared.go}"]}
        """,
}

FILES = {
    "lines.txt": "one\ntwo words\n",
    "values.jsonl": '{"a": [1, null]}\n"x"\n',
    "rows.csv": "name,size\nx,1\ny,2\nz,3\n",
}


@pytest.fixture
def flows(mprun: CommandLine) -> CommandLine:
    mprun.write("flows/jobs.py", JOBS)
    for name, text in FILES.items():
        mprun.write(f"flows/{name}", text)
    return mprun


def notes(folder: Path) -> dict[str, str]:
    """What was noted in `folder`; it is gone afterwards."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.txt") if path.name not in FILES}
    for name in texts:
        (folder / name).unlink()
    return texts


CASES = [(FLOWS[name], "forkserver") for name in FLOWS]
CASES += [(SHARED[name], start_method) for name in SHARED for start_method in get_args(StartMethod)]
IDS = [*FLOWS, *(f"{name}, {start_method}" for name in SHARED for start_method in get_args(StartMethod))]


@pytest.mark.parametrize(("flow", "start_method"), CASES, ids=IDS)
def test_the_program_does_what_a_run_does(flows: CommandLine, flow: str, start_method: str) -> None:
    head = f"name: flow\nstart_method: {start_method}\n"
    flows.write("flows/flow.yaml", head + flow.replace("\n        ", "\n").lstrip("\n"))
    ran = flows("flows/flow.yaml", "--quiet")
    assert (ran.code, ran.stderr) == (0, "")
    by_run = notes(flows.folder / "flows")
    assert by_run
    program = flows("plan", "flows/flow.yaml", "--python")
    assert (program.code, program.stderr) == (0, "")
    flows.write("program.py", program.stdout)
    did = flows.shell(f"{shlex.quote(COMMAND[0])} -I -W error program.py")
    assert (did.code, did.stderr) == (0, "")
    assert notes(flows.folder / "flows") == by_run


def test_a_refusal_is_told_with_all_that_it_is_for(flows: CommandLine) -> None:
    flows.write(
        "flows/flow.yaml",
        """\
processes:
  a: {command: [echo, a]}
  b: {target: jobs:echo, args: ["${results.c}"], save: b.json}
  c: {target: jobs:echo, args: [1]}
""",
    )
    refused = flows("plan", "flows/flow.yaml", "--python")
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr == (
        "error: `--python`: plain multiprocessing has no words for this:\n"
        "  the step `a` runs a `command`\n"
        "  the step `b` saves its results\n"
        "  the step `b` takes the result of `c`: a Process returns nothing\n"
    )
