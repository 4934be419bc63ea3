"""The program of `mprun plan --python`: its exact text for the four basic plans, its results for the others."""

import ast
import glob
import os
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
from mprun.planning.eject.items import HELPERS
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


LOAD = parse_target("jobs:load", "/flows")

JOBS = """\
import os, signal, sys, threading
TABLE = {}
class Shape:
    @staticmethod
    def area(a, b=1): return a * b
def double(x): return 2 * x
def add(a, b=0): return a + b
def say(*words, **more): print(*words, *more.values())
def fail(code): sys.exit(code)
def refuse(text): raise ValueError(text)
def die(): os.kill(os.getpid(), signal.SIGKILL)
def load(name, value): TABLE[name] = value
def look_up(name): return TABLE.get(name)
def forever(): threading.Event().wait()
def echo(value): return value
def fail_at(n): sys.exit(n == 1)
def make_lambda(): return lambda: 0
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


SHARED: dict[str, tuple[dict[str, Any], str]] = {
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


def test_names_never_collide(flows: Path, tmp_path: Path) -> None:
    modules = ("other", "pool", "context", "print", "echo")
    for name in modules:
        (flows / f"{name}.py").write_text(f"def echo(x): return ('{name}', x)\ndef print(x): return x\n")
    targets = [f"{name}:echo" for name in (*modules, "jobs")] + ["other:print", "os.path:join", "builtins:abs"]
    names = ["echo", "echo_results", "pool", "class", "None", "a-b", "a_b", "__name__", "other"]
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


@pytest.mark.parametrize("text", HELPERS.values(), ids=[kind.__name__ for kind in HELPERS])
def test_a_helper_is_as_the_rest_of_the_program(text: str) -> None:
    """No line is too long, and no step or target has its name."""
    assert max(map(len, text.splitlines())) <= 100
    names = Names()
    for statement in ast.parse(text).body:
        assert isinstance(statement, ast.FunctionDef)
        assert not names.is_free(statement.name)


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


RESULTS = """\
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    with context.Pool(processes=2) as pool:
        squares = pool.map(square, range(3))
    print(squares)

    said = context.Process(target=say, args=(squares, squares[2]))
    said.start()
    said.join()

    if said.exitcode:
        sys.exit(1)
"""

CELLS = """\
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")

    each = [context.Process(target=say, args=(item,)) for item in range(3)]
    for process in each:
        process.start()
    for process in each:
        process.join()
    if any(process.exitcode for process in each):
        sys.exit(1)

    few = [
        context.Process(target=say, args=([item],), daemon=True)
        for item in ["a text", "that takes", "more than one line"]
    ]
    more = [context.Process(target=say, args=(item, "more")) for item in ["x", "y"]]
    one = context.Process(target=say)
    for process in (*few, *more, one):
        process.start()
    for process in (*more, one):
        process.join()

    if any(process.exitcode for process in (*more, one)):
        sys.exit(1)
"""


def fan_out(name: str, target: str, cells: Source, *args: Any, **more: Any) -> Step:
    fields = {"cell": "item", "cells": cells, "max_parallel": 9, **more}
    return replace(process(name, target, *args), **fields)


def _results(*path: str) -> Reference:
    return Reference("results", path)


ITEM = Reference("item")
READING: dict[str, tuple[list[Step], str]] = {
    "results": (
        [
            pool("squares", "squares:square", 3),
            process("said", "squares:say", _results("squares"), _results("squares", "2"), needs=("squares",)),
        ],
        RESULTS,
    ),
    "cells": (
        [
            fan_out("each", "squares:say", RangeSource(0, 3, 1), ITEM, max_parallel=3),
            fan_out(
                "few",
                "squares:say",
                ListSource(("a text", "that takes", "more than one line")),
                [ITEM],
                daemon=True,
                needs={"each": "succeeded"},
            ),
            fan_out("more", "squares:say", ListSource(("x", "y")), ITEM, "more", needs={"each": "succeeded"}),
            process("one", "squares:say", needs=("each",)),
        ],
        CELLS,
    ),
}


@pytest.mark.parametrize("name", READING)
def test_results_and_cells_read_well(name: str) -> None:
    steps, text = READING[name]
    script = python_script(plan_of(*steps))
    assert script[script.index("if __name__") :] == text


@pytest.mark.parametrize("start_method", get_args(StartMethod))
def test_results_of_pools_are_variables(flows: Path, tmp_path: Path, start_method: StartMethod) -> None:
    steps = [
        pool("a", "jobs:double", 5),
        pool("once", "jobs:echo", call="apply", args=("x",), needs=("a",)),
        pool("c", "jobs:echo", ResultsSource("a"), needs=("once",)),
        pool("d", "jobs:look_up", ["x"], needs=("c",), initializer=LOAD, initargs=("x", _results("a"))),
        process("e", "jobs:say", _results("a", "4"), [_results("once")], needs=("d",)),
    ]
    plan = plan_of(*steps, folder=flows, start_method=start_method)
    of_a = "[0, 2, 4, 6, 8]"
    assert run(plan, tmp_path) == [of_a, "x", of_a, f"[{of_a}]", "8 ['x']"]


FAILING: dict[str, list[Step]] = {
    "a cell": [fan_out("a", "jobs:fail_at", RangeSource(0, 4, 1), ITEM), process("b", "jobs:say", "b", needs=("a",))],
    "a cell that nothing waits for": [fan_out("a", "jobs:fail_at", RangeSource(0, 2, 1), ITEM)],
    "a result that can't be sent": [pool("a", "jobs:make_lambda", call="apply")],
}


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_ends_the_program(flows: Path, tmp_path: Path, name: str) -> None:
    assert run(plan_of(*FAILING[name], folder=flows), tmp_path, status=1) == []


def test_secrets_come_from_the_environment(flows: Path, tmp_path: Path) -> None:
    secret = Template(("Bearer ", Reference("params", ("api-key",))))
    env: dict[str, Any] = {"TOKEN": Reference("params", ("api-key",))}
    plan = plan_of(
        process("a", "jobs:say", secret), process("b", "jobs:environment", "TOKEN", needs=("a",)), folder=flows, env=env
    )
    head = (ast.get_docstring(ast.parse(python_script(plan))) or "").replace("\n", " ")
    assert head.endswith("It takes secrets from the environment: MPRUN_PARAM_API_KEY.")
    assert run(plan, tmp_path, MPRUN_PARAM_API_KEY="s3cret") == ["Bearer s3cret", "s3cret"]


OUTCOME = If('${run.outcome} == "failed"', read_expression('${run.outcome} == "failed"'))
ONE = process("a", "jobs:f")
TWO_AXES = (("x", ListSource((1, 2))), ("y", ListSource((3, 4))))
GENERATOR = CallSource(parse_target("jobs:g", "/flows"), (Reference("run", ("id",)),), {})
REFUSED: dict[str, tuple[Step, str]] = {
    "folder": (replace(ONE, surroundings=replace(ONE.surroundings, working_dir="/tmp")), "has an `env`, a folder"),
    "if": (replace(ONE, condition=OUTCOME), 'starts if `${run.outcome} == "failed"`'),
    "a known if": (replace(ONE, condition=If("false", read_expression("false"))), "starts if `false`"),
    "on_exit": (replace(ONE, when="exit"), "is one of `on_exit`, which are run around the others"),
    "finished": (replace(ONE, needs={"z": "finished"}), "starts when `z` has ended, succeeded or not"),
    "failed": (replace(ONE, needs={"z": "failed"}), "starts when `z` has failed"),
    "conversion": (replace(ONE, converts="strict"), "has arguments that become what the annotations of `jobs:f`"),
    "conversion of what a step is given by another": (
        replace(pool("a", "jobs:f", 1), converts="data"),
        "has arguments that become what",
    ),
    "conversion in a pool": (replace(pool("a", "jobs:f", 1), converts="text"), "has arguments that become what"),
    "save": (replace(ONE, save="/flows/a.json"), "saves its results"),
    "save of a pool": (replace(pool("a", "jobs:f", 1), save="/flows/a.csv"), "saves its results"),
    "command": (replace(ONE, command=("echo", "hello")), "runs a `command`"),
    "command of a pool": (pool("a", "jobs:f", 1, command=("echo", ITEM)), "runs a `command`"),
    "file": (process("a", "sub/jobs.py:f"), "calls `sub/jobs.py:f` by the file: write it as `module:function`"),
    "file of an initializer": (
        pool("a", "jobs:f", 1, initializer=parse_target("jobs.py:begin", "/flows")),
        "calls `jobs.py:begin` by the file",
    ),
    "keyword": (process("a", "jobs.lambda:f"), "calls `jobs.lambda:f`, which Python's `import` can't name"),
    "run.id": (replace(ONE, args=([Reference("run", ("id",))],)), "refers to `${run.id}`"),
    "run.dir": (replace(ONE, args=(Template((Reference("run", ("dir",)), "/x")),)), "refers to `${run.dir}`"),
    "run.id in a generator": (pool("a", "jobs:f", GENERATOR), "refers to `${run.id}`"),
    "result of a process": (replace(ONE, args=(_results("z"),)), "takes the result of `z`: a Process returns nothing"),
    "items of a process": (pool("a", "jobs:f", ResultsSource("z")), "takes the result of `z`"),
    "part of a result": (replace(ONE, args=(_results("p", "0", "x"),)), "takes a part of a value: `${results.p.0.x}`"),
    "part of a single result": (replace(ONE, args=(_results("q", "0"),)), "takes a part of a value: `${results.q.0}`"),
    "part of a cell": (
        fan_out("a", "jobs:f", ListSource(({"x": 1},)), Reference("item", ("x",))),
        "takes a part of a value: `${item.x}`",
    ),
    "text with a value": (replace(ONE, kwargs={"x": {"y": Template(("p: ", _results("p")))}}), "writes values into a"),
    "matrix of cells": (
        fan_out("a", "jobs:f", MatrixSource(TWO_AXES), cell="kwargs"),
        "has cells by `matrix` or `zip`",
    ),
    "zip of cells": (fan_out("a", "jobs:f", ZipSource(TWO_AXES), cell="kwargs"), "has cells by `matrix` or `zip`"),
    "unknown cells": (fan_out("a", "jobs:f", LinesSource("/flows/x"), ITEM), "has a number of cells that only a run"),
    "cells in turn": (
        fan_out("a", "jobs:f", RangeSource(0, 5, 1), ITEM, max_parallel=4),
        "may not start its 5 cells all at once (`max_parallel: 5` does)",
    ),
    "cells by CPUs": (fan_out("a", "jobs:f", RangeSource(0, 5, 1), ITEM, max_parallel=0), "may not start its 5 cells"),
    "matrix": (pool("a", "jobs:f", MatrixSource(TWO_AXES), call="matrix"), "calls by `matrix`: a Pool has no such"),
    "zip": (pool("a", "jobs:f", ZipSource(TWO_AXES), call="zip"), "calls by `zip`: a Pool has no such method"),
    "starmap by name": (pool("a", "jobs:f", [[1], {"x": 1}], call="starmap"), "may have mappings among its items"),
    "starmap of rows": (pool("a", "jobs:f", CsvSource("/flows/a.csv", "/"), call="starmap"), "may have mappings among"),
    "finalizer": (pool("a", "jobs:f", 1, finalizer=parse_target("jobs:g", "/flows")), "has a `finalizer`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_program_could_not_do_is_refused_by_name(name: str) -> None:
    step, told = REFUSED[name]
    plan = plan_of(process("z", "jobs:f"), pool("p", "jobs:f", 2), pool("q", "jobs:f", call="apply"))
    with pytest.raises(UsageError, match=f"\n  the step `a` {re.escape(told)}"):
        python_script(replace(plan, steps=(*plan.steps, step)))


def test_all_that_is_refused_is_told_at_once() -> None:
    env: dict[str, Any] = {"OUT": Template((Reference("run", ("dir",)), "/out"))}
    a = replace(process("a", "jobs.py:f", save="/flows/a.json"), command=("echo",))
    b = process("b", "jobs.py:f", Reference("shared", ("x",)))
    plan = replace(plan_of(a, b, env=env), shared=(SharedThing("x", "array", ({},)),))
    with pytest.raises(UsageError) as refused:
        python_script(plan)
    assert str(refused.value).splitlines() == [
        "`--python`: plain multiprocessing has no words for this:",
        "  the `env` of the workflow refers to `${run.dir}`",
        "  the step `a` runs a `command`",
        "  the step `a` saves its results",
        "  the step `b` calls `jobs.py:f` by the file: write it as `module:function`",
        "  the shared `x` of `b` is an array of numpy",
    ]


def test_arguments_that_are_only_checked_are_those_of_a_plain_program() -> None:
    script = python_script(plan_of(replace(process("a", "jobs:f", 1), converts="check"), process("b", "jobs:f", 1)))
    assert "# Left out, as Python doesn't look: whether the arguments of `a` are what annotations say." in script
    assert "Process(target=f, args=(1,))" in script


def test_an_object_whose_arguments_are_converted_is_refused() -> None:
    made = {"call": parse_target("jobs:g", "/flows"), "args": ["2026-01-31"], "kwargs": {}}
    plan = plan_of(process("a", "jobs:f", Reference("shared", ("x",))))
    with pytest.raises(UsageError, match="the shared `x` is made with arguments that become what"):
        python_script(replace(plan, shared=(SharedThing("x", "object", (made,), converts="strict"),)))
    assert "g(" in python_script(replace(plan, shared=(SharedThing("x", "object", (made,)),)))


def test_targets_that_were_not_looked_at_are_said_to_be() -> None:
    script = python_script(plan_of(process("a", "jobs:f")), checked=False)
    assert "# The targets were not looked at: arguments are given as they are written" in script


THINGS = """\
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    manager = context.Manager()
    lock = context.Lock()
    gate = context.Barrier(2)
    n = context.Value("i", 0)
    letters = context.Array("c", [b'a', b'b'])
    state = manager.dict({"a": 1})
    ends = context.Pipe()
    made = use(1, **{"class": 2})
    use_shared = context.Event()

    first = context.Process(target=use, args=(lock, ends[0], letters, made))
    second = context.Process(target=use, args=(gate, n, state, ends[1]))
"""


def _shared(*path: str) -> Reference:
    return Reference("shared", path)


def test_what_is_shared_is_made_of_the_context() -> None:
    things = [("lock", "Lock"), ("gate", "Barrier", 2), ("n", "Value", "i", 0), ("letters", "Array", "c", ["a", "b"])]
    things += [("state", "dict", {"a": 1}), ("ends", "Pipe")]
    things += [("made", "object", {"call": parse_target("jobs:use", ""), "args": [1], "kwargs": {"class": 2}})]
    things += [("use", "Event")]
    first = process("first", "jobs:use", _shared("lock"), _shared("ends", "0"), _shared("letters"), _shared("made"))
    second = process("second", "jobs:use", _shared("gate"), _shared("n"), _shared("state"), _shared("ends", "1"))
    shared = tuple(SharedThing(name, kind, tuple(args)) for name, kind, *args in things)
    assert THINGS in python_script(replace(plan_of(first, second), shared=shared))


QUEUES = """\
import functools
def put(rows, *numbers): rows.put(numbers)
def put_by_name(*, rows): rows.put(1)
def until_none(rows): return list(iter(rows.get, None))
def loop(rows): return sum(rows)
def until_the_end(rows):
    try:
        while True: rows.get()
    except EOFError:
        pass
def pass_on(rows, numbers=()): put(rows, *numbers)
def by_another_name(rows):
    queue = rows
    queue.put(1)
def with_more(**more): more["rows"].put(1)
def iterate(rows): return rows.__iter__()
@functools.cache
def decorated(rows): rows.put(1)
class Worker:
    @staticmethod
    def put(rows): rows.put(1)
"""
QUEUE = SharedThing("rows", "Queue", (5,))
ROWS = Reference("shared", ("rows",))
SEEN_AS_PLAIN: list[Step] = [
    process("a", "jobs:put", ROWS, 1),
    process("a", "jobs:put_by_name", rows=ROWS),
    process("a", "sub.more:until_none", ROWS),
]
NOT_SEEN_AS_PLAIN: list[Step] = [
    process("a", "jobs:loop", ROWS),
    process("a", "ends:until_the_end", ROWS),
    process("a", "ends:put", ROWS),  # beside it stands what looks for the end
    process("a", "jobs:pass_on", ROWS),
    process("a", "jobs:by_another_name", ROWS),
    process("a", "jobs:with_more", rows=ROWS),
    process("a", "jobs:put", 1, ROWS),
    process("a", "jobs:put", [ROWS]),
    process("a", "jobs:put", ROWS, ROWS),
    process("a", "jobs:iterate", ROWS),
    process("a", "jobs:decorated", ROWS),
    process("a", "jobs:Worker.put", ROWS),
    process("a", "jobs:not_there", ROWS),
    process("a", "not_there.jobs:put", ROWS),
    process("a", "sys:exit", ROWS),
    process("a", "math:sqrt", ROWS),
    process("a", "wrong:put", ROWS),
    pool("a", "jobs:put", 2, initializer=parse_target("jobs:put", "/flows"), initargs=(ROWS,)),
]


@pytest.fixture
def queues(flows: Path) -> Path:
    ending = QUEUES.index("def until_the_end"), QUEUES.index("def pass_on")
    (flows / "jobs.py").write_text(QUEUES[: ending[0]] + QUEUES[ending[1] :])
    (flows / "ends.py").write_text(QUEUES)
    (flows / "wrong.py").write_text("def put(")
    (flows / "sub").mkdir()
    (flows / "sub" / "__init__.py").write_text("")
    (flows / "sub" / "more.py").write_text(QUEUES[: ending[0]])
    return flows


def _as_code(step: Step) -> str:
    return f"{step.kind} {step.target.text}{step.args}"


@pytest.mark.parametrize("step", SEEN_AS_PLAIN, ids=_as_code)
def test_a_queue_of_which_only_methods_are_called_is_plain(queues: Path, step: Step) -> None:
    assert "rows = context.Queue(5)\n" in python_script(replace(plan_of(step, folder=queues), shared=(QUEUE,)))


@pytest.mark.parametrize("step", NOT_SEEN_AS_PLAIN, ids=_as_code)
def test_a_queue_that_may_have_to_end_is_refused(queues: Path, step: Step) -> None:
    told = "the shared `rows` is a Queue, for whose end `a` may wait: a plain one has none"
    with pytest.raises(UsageError, match=told):
        python_script(replace(plan_of(step, folder=queues), shared=(QUEUE,)))


SHARED_REFUSED: dict[str, tuple[list[Step], SharedThing, str]] = {
    "array": ([process("a", "jobs:f", _shared("x"))], SharedThing("x", "array", ({"shape": 3},)), "of `a` is an array"),
    "made by a file": (
        [process("a", "jobs:f", _shared("x"))],
        SharedThing("x", "object", ({"call": parse_target("jobs.py:f", "/flows"), "args": [], "kwargs": {}},)),
        "calls `jobs.py:f` by the file",
    ),
    "not at the same time": (
        [process("a", "jobs:f", _shared("x")), process("b", "jobs:f"), process("c", "m:f", _shared("x"), needs=("b",))],
        SharedThing("x", "Barrier", (2,)),
        "is for `a`, `c` to meet, some of which start only when others have ended",
    ),
}


@pytest.mark.parametrize("name", SHARED_REFUSED)
def test_what_only_mprun_can_share_is_refused(name: str) -> None:
    steps, thing, told = SHARED_REFUSED[name]
    with pytest.raises(UsageError, match=re.escape(f"the shared `x` {told}")):
        python_script(replace(plan_of(*steps), shared=(thing,)))


def test_steps_that_need_one_another_may_share_what_others_meet_at() -> None:
    steps = [process("a", "jobs:f", _shared("x")), process("b", "jobs:f", _shared("x"), needs=("a",))]
    script = python_script(replace(plan_of(*steps), shared=(SharedThing("x", "Event"),)))
    assert script.count("args=(x,)") == 2


def test_a_pool_is_given_what_is_shared_by_its_initializer() -> None:
    by_name = pool("a", "jobs:f", 2, kwargs={"lock": _shared("x")})
    thing = (SharedThing("x", "Lock"),)
    with pytest.raises(UsageError, match="the step `a` gives its tasks the shared `x`: it can reach workers only by"):
        python_script(replace(plan_of(by_name), shared=thing))
    begun = pool("a", "jobs:f", 2, initializer=LOAD, initargs=("x", _shared("x")))
    script = python_script(replace(plan_of(begun), shared=thing))
    assert 'with context.Pool(processes=2, initializer=load, initargs=("x", x)) as pool:' in script
