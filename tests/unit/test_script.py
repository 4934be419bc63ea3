"""The program of `mprun plan --python`: its exact text for the four basic plans, its results for the others."""

import ast
import glob
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from plan_builders import plan_of, pool, process

from mprun.errors.exceptions import UsageError
from mprun.language.expressions import read_expression
from mprun.language.references import Reference, Template
from mprun.language.targets import parse_target
from mprun.plan.child_spec import PoolCall, Retries
from mprun.plan.plan import If, Limits, Plan, SharedThing, StartMethod, Step
from mprun.planning.eject.library import LIBRARY
from mprun.planning.eject.names import Names
from mprun.planning.eject.script import python_script
from mprun.sources.table import (
    CallSource,
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    ListSource,
    MatrixSource,
    RangeSource,
    ResultsSource,
    SliceSource,
    Source,
    ZipSource,
)

TOP = '''\
"""by-hand

The plain multiprocessing program that by-hand.yaml stands for.
"""

import os
import sys

FOLDER = "/flows"
os.chdir(FOLDER)  # before the imports: children start in the folder that multiprocessing finds
sys.path.insert(0, FOLDER)

import multiprocessing  # noqa: E402

'''

ONE_PROCESS = """\
from squares import print_square  # noqa: E402

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    five = context.Process(target=print_square, args=(5,), kwargs={"wait": 0.2})
    five.start()
    five.join()

    if five.exitcode:
        sys.exit(1)
"""

TWO_PROCESSES = """\
from squares import print_square, say  # noqa: E402

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    five = context.Process(target=print_square, args=(5,))
    ten = context.Process(target=print_square, args=(10,))
    five.start()
    ten.start()
    five.join()
    ten.join()
    if five.exitcode or ten.exitcode:
        sys.exit(1)

    last_word = context.Process(target=say, args=("done",))
    last_word.start()
    last_word.join()

    if last_word.exitcode:
        sys.exit(1)
"""

FOUR_PROCESSES = """\
from squares import print_number  # noqa: E402

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    one = context.Process(target=print_number, args=(1,))
    two = context.Process(target=print_number, args=(2,))
    three = context.Process(target=print_number, args=(3,))
    four = context.Process(target=print_number, args=(4,))
    for process in (one, two, three, four):
        process.start()
    for process in (one, two, three, four):
        process.join()

    if any(process.exitcode for process in (one, two, three, four)):
        sys.exit(1)
"""

POOL_MAP = """\
from squares import square  # noqa: E402

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    with context.Pool(processes=4) as pool:
        squares = pool.map(square, [1, 2, 3, 4, 5])
    print(squares)
"""


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([process("five", "squares:print_square", 5, wait=0.2)], ONE_PROCESS),
        (
            [
                process("five", "squares:print_square", 5),
                process("ten", "squares:print_square", 10),
                process("last_word", "squares:say", "done", needs=("five", "ten")),
            ],
            TWO_PROCESSES,
        ),
        (
            [process(name, "squares:print_number", i) for i, name in enumerate(("one", "two", "three", "four"), 1)],
            FOUR_PROCESSES,
        ),
        ([pool("squares", "squares:square", [1, 2, 3, 4, 5], processes=4)], POOL_MAP),
    ],
    ids=["one-process", "two-processes", "four-processes", "pool-map"],
)
def test_a_basic_plan_reads_as_a_person_would_write_it(steps: list[Step], text: str) -> None:
    assert python_script(plan_of(*steps)) == TOP + text


JOBS = """\
import datetime, os, signal, sys, threading
TABLE = {}
class Shape:
    @staticmethod
    def area(a, b=1): return a * b
def double(x): return 2 * x
def add(a, b=0): return a + b
def say(*words, **more): print(*words, *more.values())
def fail(code): sys.exit(code)
def refuse(text): raise ValueError(text)
def no_luck(): raise ValueError("no luck")
def die(): os.kill(os.getpid(), signal.SIGKILL)
def fill(**table): TABLE.update(table)
def load(name, value): TABLE[name] = value
def look_up(name): return TABLE.get(name)
def forever(): threading.Event().wait()
def echo(value): return value
def fail_at(n): sys.exit(n) if n == 1 else print(n)
def make_lambda(): return lambda: 0
def make_set(): return {1}
def dated(day: "datetime.date"): print(day)
def locked(lock: threading.Event): print(lock)
def environment(name): print(os.environ[name])
def where(_): return os.getcwd(), os.environ.get("COLOUR")
def show(*values): print(repr(values))
"""


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """The folder of a workflow, with a space, a quote and a glob's special character in its name."""
    folder = tmp_path / "the flow's [1]"
    folder.mkdir()
    (folder / "jobs.py").write_text(JOBS)
    return folder


def run(plan: Plan, tmp_path: Path, status: int = 0, **env: str) -> list[str]:
    """The lines that the script of `plan` prints when it is started from another folder."""
    script = tmp_path / "scripts" / "generated.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(python_script(plan))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=script.parent,
        env=environment | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("start_method", get_args(StartMethod))
def test_every_start_method_gives_children_the_folder_and_the_environment(
    flows: Path, tmp_path: Path, start_method: StartMethod
) -> None:
    plan = plan_of(
        pool("w", "jobs:where", 1),
        process("p", "jobs:say", "hello"),
        start_method=start_method,
        folder=flows,
        env={"COLOUR": 'dark "red"\\'},
    )
    assert sorted(run(plan, tmp_path)) == sorted([repr([(str(flows), 'dark "red"\\')]), "hello"])


CALLS: dict[PoolCall, tuple[dict[str, Any], str]] = {
    "apply": ({"target": "jobs:add", "args": (1,), "kwargs": {"b": 2}}, "3"),
    "map": ({"target": "jobs:double", "source": RangeSource(1, 8, 3), "chunksize": 2}, "[2, 8, 14]"),
    "starmap": ({"target": "jobs:Shape.area", "source": [[2], [2, 3]], "maxtasksperchild": 1}, "[2, 6]"),
    "imap": ({"target": "jobs:double", "source": ["a", "b"]}, "['aa', 'bb']"),
    "imap_unordered": ({"target": "jobs:double", "source": 3, "processes": 1}, "[0, 2, 4]"),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_pool_call_alone(flows: Path, tmp_path: Path, call: PoolCall) -> None:
    given, printed = CALLS[call]
    assert run(plan_of(pool("p", call=call, **given), folder=flows), tmp_path) == [printed]


def test_all_pool_calls_at_once(flows: Path, tmp_path: Path) -> None:
    steps = [pool(call, call=call, **given) for call, (given, _) in CALLS.items()]
    assert run(plan_of(*steps, folder=flows), tmp_path) == [printed for _, printed in CALLS.values()]


def test_an_initializer_prepares_each_worker(flows: Path, tmp_path: Path) -> None:
    initializer = parse_target("jobs:load", str(flows))
    step = pool("p", "jobs:look_up", ["x", "y"], initializer=initializer, initargs=("x", [1, None]))
    assert run(plan_of(step, folder=flows), tmp_path) == ["[[1, None], None]"]


def test_sources_of_text_give_what_a_run_would_get(flows: Path, tmp_path: Path) -> None:
    (flows / "deep").mkdir()
    (flows / "deep" / "b.txt").write_text("")
    (flows / "a.txt").write_bytes("tab\t\r\nform\x0cfeed \u2028\n\nlast".encode())
    sources = [GlobSource(f"{glob.escape(str(flows))}/**/*.txt", str(flows)), LinesSource(str(flows / "a.txt"))]
    steps = [pool(f"s{i}", "jobs:echo", source) for i, source in enumerate(sources)]
    assert run(plan_of(*steps, folder=flows), tmp_path) == [repr(list(source.items())) for source in sources]
    assert list(sources[0].items()) == ["a.txt", "deep/b.txt"]


def values_of(source: Source) -> list[Any]:
    decoding = source.decoding()
    return [decoding.value(item) if decoding else item for item in source.items()]


def test_sources_of_records_give_what_a_run_would_get(flows: Path, tmp_path: Path) -> None:
    rows = [b'\xef\xbb\xbfa,"b"\r\n', '\n1,"x\ny"\n"é ""q""",\n'.encode()]
    (flows / "a.csv").write_bytes(b"".join(rows))
    (flows / "b.csv").write_bytes(b"a\tb\n1,5\t2\n")
    (flows / "c.jsonl").write_bytes('\ufeff{"a": [1, null]}\r\n\n \n"\u2028"\n1e400'.encode())
    sources = [
        CsvSource(str(flows / "a.csv"), str(flows)),
        CsvSource(str(flows / "b.csv"), str(flows), "\t"),
        JsonlSource(str(flows / "c.jsonl"), str(flows)),
        SliceSource(JsonlSource(str(flows / "c.jsonl"), str(flows)), 1),
        SliceSource(LinesSource(str(flows / "jobs.py")), 2, 3),
        SliceSource(RangeSource(0, 9, 1), 0, 2),
    ]
    steps = [pool(f"s{i}", "jobs:echo", source) for i, source in enumerate(sources)]
    expected = list(map(values_of, sources))
    assert run(plan_of(*steps, folder=flows), tmp_path) == list(map(repr, expected))
    assert list(map(len, expected)) == [2, 1, 3, 2, 3, 2]


@pytest.mark.parametrize(
    ("name", "data", "source"),
    [
        ("a.csv", b"a,b\n1\n", CsvSource),
        ("a.csv", b"a,b\n1,2,3\n", CsvSource),
        ("a.csv", b'a\n"x"y\n', CsvSource),
        ("a.csv", b"a\n\xff\n", CsvSource),
        ("a.csv", b"", CsvSource),
        ("a.jsonl", b"{\n", JsonlSource),
        ("a.jsonl", b'"\xff"\n', JsonlSource),
    ],
)
def test_a_record_that_fails_a_run_fails_the_script(
    flows: Path, tmp_path: Path, name: str, data: bytes, source: type[CsvSource | JsonlSource]
) -> None:
    (flows / name).write_bytes(data)
    run(plan_of(pool("p", "jobs:echo", source(str(flows / name))), folder=flows), tmp_path, status=1)


LR: tuple[tuple[str, Source], ...] = (("lr", ListSource((0.1, True, 1, None))), ("the depth", RangeSource(0, 3, 1)))
ODD: tuple[tuple[str, Source], ...] = (("class", ListSource(([1], [True], {"a": 1.0}, float("nan"), "nan"))),)
EXCLUDING = ({"class": [[1.0], {"a": 1}]}, {"class": float("nan")})


def test_combinations_give_what_a_run_would_get(flows: Path, tmp_path: Path) -> None:
    sources: list[Source] = [
        MatrixSource(LR),
        MatrixSource(LR, exclude=({"lr": [1.0, 0.1]}, {"lr": True, "the depth": [0, 1]})),
        MatrixSource(LR, ({"more": 1}, {"more": 2, "lr": 1}, {"lr": 9}, {"lr": None, "the depth": 7, "x": 1})),
        MatrixSource(LR, ({"lr": 0.1, "x": 1}, {"y": 1}), ({"lr": 0.1}, {"the depth": [1, 2]})),
        MatrixSource(ODD, ({"class": [True], "more": 1}, {"class": [1], "more": 2}), EXCLUDING),
        MatrixSource((), ({"a": 1}, {"b": 2})),
        SliceSource(MatrixSource(LR), 2, 3),
        ZipSource((("a", ListSource(("x", "y", "z"))), LR[1])),
    ]
    steps = [pool(f"s{i}", "jobs:echo", source) for i, source in enumerate(sources)]
    expected = list(map(values_of, sources))
    assert run(plan_of(*steps, folder=flows), tmp_path) == list(map(repr, expected))
    assert list(map(len, expected)) == [12, 4, 14, 4, 3, 2, 3, 3]


BY_NAME = MatrixSource((("a", RangeSource(1, 3, 1)), ("b", ListSource((10, 20)))))
A = ZipSource(BY_NAME.axes[:1])
SHARED: dict[str, tuple[dict[str, Any], str]] = {
    "matrix": ({"call": "matrix", "target": "jobs:add", "source": BY_NAME}, "[11, 21, 12, 22]"),
    "zip": ({"call": "zip", "target": "jobs:add", "source": ZipSource(BY_NAME.axes)}, "[11, 22]"),
    "shared": ({"call": "zip", "target": "jobs:add", "source": A, "kwargs": {"b": 5}}, "[6, 7]"),
    "map": ({"call": "map", "target": "jobs:add", "source": [1, 2], "kwargs": {"b": 5}}, "[6, 7]"),
    "starmap": ({"call": "starmap", "target": "jobs:add", "source": [[1], [2]], "kwargs": {"b": 5}}, "[6, 7]"),
    "imap": ({"call": "imap", "target": "builtins:dict", "source": [[]], "kwargs": {"class": 5}}, "[{'class': 5}]"),
}


@pytest.mark.parametrize("name", SHARED)
def test_keyword_arguments_reach_each_call(flows: Path, tmp_path: Path, name: str) -> None:
    given, printed = SHARED[name]
    assert run(plan_of(pool("p", **given), folder=flows), tmp_path) == [printed]


def test_calls_with_keyword_arguments_go_side_by_side(flows: Path, tmp_path: Path) -> None:
    steps = [pool(name, **given) for name, (given, _) in SHARED.items()]
    assert run(plan_of(*steps, folder=flows), tmp_path) == [printed for _, printed in SHARED.values()]


def test_items_of_a_call_and_of_a_step_are_had_as_in_python(flows: Path, tmp_path: Path) -> None:
    generator = CallSource(parse_target("itertools:count", "/flows"), (5,), {"step": 2})
    keywords = CallSource(parse_target("builtins:dict", "/flows"), (), {"class": 1, "b": 2})
    steps = [
        pool("echo", "jobs:echo", SliceSource(generator, 1, 2), call="imap"),
        pool("b", "jobs:double", ResultsSource("echo"), needs=("echo",)),
        pool("c", "jobs:echo", keywords),
    ]
    assert run(plan_of(*steps, folder=flows), tmp_path) == ["[7, 9]", "['class', 'b']", "[14, 18]"]


@pytest.mark.parametrize(
    ("steps", "printed", "status"),
    [
        ([process("a", "jobs:fail", 0), process("b", "jobs:say", "b", needs=("a",))], ["b"], 0),
        ([process("a", "jobs:fail", 3), process("b", "jobs:say", "b", needs=("a",))], [], 1),
        ([process("a", "jobs:die"), pool("b", "jobs:echo", 2, needs=("a",))], [], 1),
        (
            [process("a", "jobs:fail", 3), pool("b", "jobs:echo", 2), process("c", "jobs:say", "c", needs=("b",))],
            ["[0, 1]", "c"],
            1,
        ),
        ([pool("a", "jobs:refuse", ["no"]), process("b", "jobs:say", "b", needs=("a",))], [], 1),
        ([process("d", "jobs:forever", daemon=True), process("a", "jobs:say", "a")], ["a"], 0),
        ([process(f"p{i}", "jobs:fail", i // 3) for i in range(4)], [], 1),
        ([process(f"d{i}", "jobs:forever", daemon=True) for i in range(3)], [], 0),
    ],
    ids=["succeeds", "fails", "killed", "not-needed", "pool-raises", "daemon", "one-of-four", "daemons-only"],
)
def test_what_needs_a_failed_step_does_not_run(
    flows: Path, tmp_path: Path, steps: list[Step], printed: list[str], status: int
) -> None:
    assert run(plan_of(*steps, folder=flows), tmp_path, status) == printed


def test_a_target_file_is_imported_in_children_too(flows: Path, tmp_path: Path) -> None:
    """`types.py` and `queue.py` stand in the workflow's folder and hide nothing of Python's own."""
    for name in ("types", "queue"):
        (flows / f"{name}.py").write_text(f"class Found(str): pass\ndef find(x): return Found('{name}')\n")
    steps = [
        pool("a", "types.py:find", 1, folder=str(flows)),
        pool("b", "queue.py:find", 1, folder=str(flows), needs=("a",)),
        process("types", "jobs:say", "end", needs=("b",)),
    ]
    assert run(plan_of(*steps, folder=flows), tmp_path) == ["['types']", "['queue']", "end"]


def test_names_never_collide(flows: Path, tmp_path: Path) -> None:
    modules = ("other", "pool", "context", "print", "lambda", "echo")
    for name in modules:
        (flows / f"{name}.py").write_text(f"def echo(x): return ('{name}', x)\ndef print(x): return x\n")
    targets = [f"{name}:echo" for name in (*modules, "jobs")] + ["other:print", "os.path:join", "builtins:abs"]
    names = ["echo", "echo_results", "pool", "class", "None", "print", "a-b", "a_b", "__name__", "other"]
    steps = [pool(name, target, ["1" if "join" in target else -1]) for name, target in zip(names, targets, strict=True)]
    expected = [repr([(name, -1)]) for name in modules] + ["[-1]", "[-1]", "['1']", "[1]"]
    one_after_another = [
        pool(s.name, s.target.text, list(s.source.items()), needs=tuple(names[i - 1 : i])) for i, s in enumerate(steps)
    ]
    assert run(plan_of(*steps, folder=flows), tmp_path) == expected
    assert run(plan_of(*one_after_another, folder=flows), tmp_path) == expected


AWKWARD = [
    "", "it's", 'say "hi"', "both ' and \"", "back\\slash", "new\nline\r\0\x1b\u202e\ud800", "{brace} ${x} é 🙂",
    True, None, -0.0, 1e300, float("inf"), float("-inf"), float("nan"), 10**50, [], {}, [[]], [None],
    {"a": [1, {"b": (2,)}], 3: "x" * 200}, list(range(100)), ["word " * 5] * 30, (), (1,),
]  # fmt: skip


def test_awkward_values_arrive_as_they_are(flows: Path, tmp_path: Path) -> None:
    plan = plan_of(process("p", "jobs:show", *AWKWARD), folder=flows)
    assert run(plan, tmp_path) == [repr(tuple(AWKWARD))]


def test_lines_stay_within_their_width_where_they_can() -> None:
    values = [{"name": f"item {i}", "sizes": list(range(i))} for i in range(30)]
    text = python_script(plan_of(pool("p", "jobs:f", values), process("q", "jobs:g", *["word"] * 40)))
    assert max(map(len, text.splitlines())) <= 100


DEFINED = [helper.text for helper in LIBRARY.values()]


@pytest.mark.parametrize("text", DEFINED, ids=list(LIBRARY))
def test_a_helper_is_as_the_rest_of_the_program(text: str) -> None:
    """No line is too long, and no name that it defines is handed out to a step or a target."""
    assert max(map(len, text.splitlines())) <= 100
    names = Names()
    for statement in ast.parse(text).body:
        defined = statement.targets[0].id if isinstance(statement, ast.Assign) else statement.name  # type: ignore
        assert not names.is_free(defined)


def test_what_is_left_out_is_said_at_the_top() -> None:
    slow = replace(process("slow-one", "jobs:f"), limits=Limits(timeout=30, retries=Retries(3)))
    pooled = replace(pool("p", "jobs:f", 3), limits=Limits(step_timeout=60, continue_on_error=True))
    plan = replace(plan_of(slow, process("free", "jobs:f"), pooled), timeout=3600.0, max_parallel=4)
    assert (
        python_script(plan).partition("import os")[0]
        == '''\
"""by-hand

The plain multiprocessing program that by-hand.yaml stands for.
"""

# Left out, as plain multiprocessing has no such limits:
#   the whole run: timeout 1h, max parallel 4
#   `slow-one`: timeout 30s, 3 retries
#   `p`: step timeout 1m, continues on error

'''
    )
    assert "Left out" not in python_script(plan_of(process("free", "jobs:f")))


@pytest.mark.parametrize("text", ['"""', '"', "\\", "\\N{x}", "a\r\nb\0c\ud800", '""" + boom() + """', "x" * 300])
def test_a_description_stays_a_docstring(text: str) -> None:
    script = python_script(plan_of(process("p", "jobs:f"), description=text))
    tree = ast.parse(script)
    assert isinstance(tree.body[1], ast.Import)
    assert (ast.get_docstring(tree) or "").startswith(text[:1])


def test_the_same_plan_gives_the_same_text() -> None:
    steps = [pool(f"p{i}", f"m{i % 3}:f{i % 2}", i) for i in range(12)]
    assert len({python_script(plan_of(*steps)) for _ in range(5)}) == 1


RETURNING = """\
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    five = Returning(context, target=square, args=(5,))
    five.start()
    five.join()
    if five.exitcode:
        sys.exit(1)

    told = context.Process(
        target=say, args=("It is " + text_of(five.result), part_of(five.result, "real"))
    )
    told.start()
    told.join()

    if told.exitcode:
        sys.exit(1)
"""

CELLS = """\
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    each = FanOut(
        [context.Process(target=say, args=(item,)) for item in range(3)], most=os.cpu_count()
    )
    by_name = FanOut(
        [
            Returning(context, target=say, kwargs=cell)
            for cell in combinations_of({"a": [1], "b": range(1, 8)})
        ],
        most=2,
    )
    each.start()
    by_name.start()
    each.join()
    by_name.join()
    if by_name.exitcode:
        sys.exit(1)
    save_jsonl("by_name.jsonl", by_name.result)

    if each.exitcode:
        sys.exit(1)
"""

FIVE = Reference("results", ("five",))
A_AND_B: tuple[tuple[str, Source], ...] = (("a", ListSource((1,))), ("b", RangeSource(1, 8, 1)))


def fan_out(name: str, target: str, cells: Source, *args: Any, **more: Any) -> Step:
    fields = {"cell": "item", "cells": cells, **more}
    return replace(process(name, target, *args), **fields)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (
            [
                process("five", "squares:square", 5),
                process(
                    "told",
                    "squares:say",
                    Template(("It is ", FIVE)),
                    Reference("results", ("five", "real")),
                    needs=("five",),
                ),
            ],
            RETURNING,
        ),
        (
            [
                fan_out("each", "squares:say", RangeSource(0, 3, 1), Reference("item")),
                fan_out(
                    "by_name",
                    "squares:say",
                    MatrixSource(A_AND_B),
                    cell="kwargs",
                    max_parallel=2,
                    save="/flows/by_name.jsonl",
                ),
            ],
            CELLS,
        ),
    ],
    ids=["results", "cells"],
)
def test_what_processes_return_and_their_cells_read_well(steps: list[Step], text: str) -> None:
    script = python_script(plan_of(*steps))
    assert script[script.index("if __name__") :] == text


@pytest.mark.parametrize("start_method", get_args(StartMethod))
def test_results_come_back_under_every_start_method(flows: Path, tmp_path: Path, start_method: StartMethod) -> None:
    steps = [
        fan_out("a", "jobs:double", RangeSource(0, 5, 1), Reference("item"), max_parallel=2),
        process("b", "jobs:double", "x" * 100_000),
        pool("c", "jobs:echo", ResultsSource("a"), needs=("a",)),
        process("d", "jobs:say", Reference("results", ("a",)), Reference("results", ("b", "0")), needs=("a", "b", "c")),
    ]
    replaced = [*steps[:3], replace(steps[3], args=(steps[3].args[0], "x"))]
    plan = plan_of(*replaced, folder=flows, start_method=start_method)
    assert run(plan, tmp_path) == ["[0, 2, 4, 6, 8]", "[0, 2, 4, 6, 8] x"]


@pytest.mark.parametrize("save", ["", "/nowhere/a.pickle"])
def test_many_cells_need_few_files(flows: Path, tmp_path: Path, save: str) -> None:
    (flows / "few.py").write_text(
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))\ndef echo(x): return x\n"
    )
    step = fan_out("a", "few:echo", RangeSource(0, 40, 1), ITEM, save=save and str(flows / "a.pickle"))
    assert run(plan_of(step, folder=flows, start_method="fork"), tmp_path) == []
    assert not save or pickle.loads((flows / "a.pickle").read_bytes()) == list(range(40))


ITEM = Reference("item")
FAILING: dict[str, tuple[list[Step], list[str]]] = {
    "a result that never comes": (
        [
            process("a", "jobs:die"),
            process("b", "jobs:say", Reference("results", ("a",)), needs=("a",)),
        ],
        [],
    ),
    "a result that can't be sent": (
        [process("a", "jobs:make_lambda"), process("b", "jobs:say", Reference("results", ("a",)), needs=("a",))],
        [],
    ),
    "a cell that fails, after all the others": (
        [
            fan_out("a", "jobs:fail_at", RangeSource(0, 4, 1), ITEM, max_parallel=1),
            process("b", "jobs:say", "b", needs=("a",)),
        ],
        ["0", "2", "3"],
    ),
    "a cell whose result is lost": (
        [
            fan_out("a", "jobs:fail_at", RangeSource(0, 2, 1), ITEM, max_parallel=1, save="/flows/a.json"),
            process("b", "jobs:say", "b", needs=("a",)),
        ],
        ["0"],
    ),
    "a program that fails": ([replace(process("a", "m:f"), command=("false",))], []),
    "a program that fails, in a pool": ([pool("a", "m:f", [1], command=("false", ITEM))], []),
    "a value that isn't plain, as json": ([process("a", "jobs:make_set", save="/nowhere/a.json")], []),
    "a value that isn't a row": ([process("a", "jobs:make_set", save="/nowhere/a.csv")], []),
    "a finalizer that raises": ([pool("a", "jobs:echo", [1], finalizer=parse_target("jobs:no_luck", "/flows"))], []),
    "a final that can't be sent": ([pool("a", "jobs:echo", [1], finalizer=parse_target("jobs:make_lambda", "/"))], []),
    "an argument that can't be converted": ([replace(process("a", "jobs:dated", "soon"), converts="strict")], []),
    "a class that the program doesn't know": ([replace(process("a", "jobs:locked", "x"), converts="strict")], []),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_ends_the_program(flows: Path, tmp_path: Path, name: str) -> None:
    steps, printed = FAILING[name]
    assert run(plan_of(*steps, folder=flows), tmp_path, status=1) == printed


def test_a_run_has_things_that_a_program_has_elsewhere(flows: Path, tmp_path: Path) -> None:
    """`${run.dir}` is where the program is started, a secret comes from the environment."""
    secret = Template(("Bearer ", Reference("params", ("api-key",))))
    env: dict[str, Any] = {"TOKEN": Reference("params", ("api-key",))}
    plan = plan_of(
        process("a", "jobs:say", secret),
        process("b", "jobs:environment", "TOKEN", needs=("a",)),
        replace(process("c", "jobs:echo", [[1]], needs=("b",)), save=Template((Reference("run", ("dir",)), "/c.csv"))),
        folder=flows,
        env=env,
    )
    assert ast.get_docstring(ast.parse(python_script(plan)), clean=False) == (
        "by-hand\n\nThe plain multiprocessing program that by-hand.yaml stands for. "
        "What a run keeps in a folder of its\nown goes to the folder that it is started in. "
        "It takes secrets from the environment:\n"
        "MPRUN_PARAM_API_KEY.\n"
    )
    assert run(plan, tmp_path, MPRUN_PARAM_API_KEY="s3cret") == ["Bearer s3cret", "s3cret"]
    assert (tmp_path / "scripts" / "c.csv").read_text() == "1\n"


OUTCOME = If('${run.outcome} == "failed"', read_expression('${run.outcome} == "failed"'))
ONE = process("a", "jobs:f")
REFUSED: dict[str, tuple[Step, str]] = {
    "folder": (replace(ONE, surroundings=replace(ONE.surroundings, working_dir="/tmp")), "has an `env`, a folder"),
    "if": (replace(ONE, condition=OUTCOME), 'starts if `${run.outcome} == "failed"`'),
    "finished": (replace(ONE, needs={"z": "finished"}), "starts when `z` has ended, succeeded or not"),
    "failed": (replace(ONE, needs={"z": "failed"}), "starts when `z` has failed"),
    "run.id": (replace(ONE, args=(Template(("x", Reference("run", ("id",)))),)), "refers to `${run.id}`"),
    "run.id in a generator": (
        pool("a", "jobs:f", CallSource(parse_target("jobs:g", "/flows"), (Reference("run", ("id",)),), {})),
        "refers to `${run.id}`",
    ),
    "daemon cells": (replace(ONE, daemon=True, cells=RangeSource(0, 2, 1)), "is a daemon with cells or results"),
    "apply of an item": (pool("a", "m:f", call="apply", command=("echo", ITEM)), "refers to the `${item}`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_program_could_not_do_is_refused_by_name(name: str) -> None:
    step, told = REFUSED[name]
    plan = plan_of(process("z", "jobs:f"))
    with pytest.raises(UsageError, match=f"the step `a` {re.escape(told)}"):
        python_script(replace(plan, steps=(*plan.steps, step)))


def test_an_environment_that_only_a_run_has_is_refused() -> None:
    env: dict[str, Any] = {"OUT": Template((Reference("run", ("dir",)), "/out"))}
    with pytest.raises(UsageError, match=re.escape("the `env` of the workflow refers to `${run.dir}`")):
        python_script(plan_of(process("a", "jobs:f"), env=env))


def test_steps_that_a_condition_leaves_out_are_named() -> None:
    never = If("false", read_expression("false"))
    script = python_script(
        plan_of(
            replace(process("a", "jobs:f"), condition=never),
            process("b", "jobs:f", needs=("a",)),
            replace(process("c", "jobs:f"), condition=If("not false", read_expression("not false"))),
        )
    )
    assert "# Left out, as an `if` says so: `a`, `b`\n" in script
    assert "c = context.Process(target=f)" in script
    assert "a = " not in script


def test_steps_whose_arguments_are_converted_are_named() -> None:
    script = python_script(plan_of(replace(process("a", "jobs:f", "x"), converts="strict"), process("b", "jobs:f")))
    assert "# Converted as annotations ask, or refused (see `as_asked`): `a`\n" in script


def test_targets_that_were_not_looked_at_are_said_to_be() -> None:
    script = python_script(plan_of(process("a", "jobs:f")), checked=False)
    assert "# The targets were not looked at: arguments are given as they are written" in script


THINGS = """\
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    manager = context.Manager()
    shared = {
        "lock": context.Lock(),
        "rows": EndingQueue(context.Queue(10), context.Value("i", 1)),
        "gate": context.Barrier(2),
        "n": context.Value("i", 0),
        "state": manager.dict({"a": 1}),
        "ends": context.Pipe(),
        "made": use(1, **{"class": 2}),
    }

    first = context.Process(
        target=call_and_leave,
        args=((shared["rows"],), use, shared["lock"], shared["rows"], shared["ends"][0]),
    )
    second = context.Process(
        target=use, args=(shared["gate"], shared["n"], shared["state"], shared["ends"][1])
    )
"""


def _shared(*path: str) -> Reference:
    return Reference("shared", path)


def test_what_is_shared_is_made_of_the_context() -> None:
    things = [("lock", "Lock"), ("rows", "Queue", 10), ("gate", "Barrier", 2), ("n", "Value", "i", 0)]
    things += [("state", "dict", {"a": 1}), ("ends", "Pipe")]
    things += [("made", "object", {"call": parse_target("jobs:use", ""), "args": [1], "kwargs": {"class": 2}})]
    first = process("first", "jobs:use", _shared("lock"), _shared("rows"), _shared("ends", "0"))
    second = process("second", "jobs:use", _shared("gate"), _shared("n"), _shared("state"), _shared("ends", "1"))
    shared = tuple(SharedThing(name, kind, tuple(args)) for name, kind, *args in things)
    program = python_script(replace(plan_of(first, second), shared=shared))
    assert THINGS in program
    assert "# In mprun" not in program


def test_where_a_plain_queue_does_less_it_is_said() -> None:
    rows, more = SharedThing("rows", "Queue"), SharedThing("more", "Queue", (5,))
    put, count = process("put", "jobs:use", _shared("rows")), process("count", "jobs:use", needs=("put",))
    unknown = replace(process("unknown", "jobs:use", _shared("more")), cells=LinesSource("/flows/lines.txt"))
    tasks = pool("tasks", "jobs:use", 3, kwargs={"rows": _shared("rows")}, needs=("count",))
    late = process("late", "jobs:use", _shared("more"), needs=("put",))
    program = python_script(replace(plan_of(put, count, unknown, tasks, late), shared=(rows, more)))
    assert "# In mprun a loop over a queue ends when nobody is left" in program
    assert "# is no loop over `rows`, `more`: who gets calls `get`, and must be told the end" in program
    assert "# In mprun those who use `more` may all be at work at the same time." in program
