"""The program of `mprun plan --python`: its exact text for the four basic plans, its results for the others."""

import ast
import glob
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from plan_builders import plan_of, pool, process

from mprun.errors import UsageError
from mprun.expressions import Constant
from mprun.handed import PoolCall, Retries
from mprun.plan import If, Limits, Plan, StartMethod, Step
from mprun.planning.script import python_script
from mprun.references import Reference
from mprun.sources import (
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
from mprun.targets import parse_target

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
def fill(**table): TABLE.update(table)
def load(name, value): TABLE[name] = value
def look_up(name): return TABLE.get(name)
def forever(): threading.Event().wait()
def echo(value): return value
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


def run(plan: Plan, tmp_path: Path, status: int = 0) -> list[str]:
    """The lines that the script of `plan` prints when it is started from another folder."""
    script = tmp_path / "scripts" / "generated.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(python_script(plan))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=script.parent,
        env=environment,
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


def test_surroundings_of_a_steps_own_are_refused() -> None:
    plan = plan_of(process("a", "jobs:f"), process("b", "jobs:f"))
    own = replace(plan.steps[1], surroundings=replace(plan.surroundings, env={"A": "1"}))
    with pytest.raises(UsageError, match="the step `b` has an `env`, a folder or a search path of its own"):
        python_script(replace(plan, steps=(plan.steps[0], own)))


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (replace(process("a", "jobs:f"), cells=ListSource((1,)), cell="item"), "has a Process for each of its cells"),
        (replace(pool("a", "jobs:f", [1]), command=("echo",)), "runs a program in a pool"),
        (replace(process("a", "jobs:f"), condition=If("true", Constant(True))), "starts on a condition"),
        (replace(process("a", "jobs:f"), needs={"b": "failed"}), "starts on a condition"),
        (process("a", "jobs:f", Reference("results", ("b",))), "is given what only the run can tell"),
    ],
)
def test_what_a_plain_program_has_no_words_for(step: Step, what: str) -> None:
    with pytest.raises(UsageError, match=f"the step `a` {what}"):
        python_script(plan_of(step, process("b", "jobs:f")))


def test_a_command_and_the_steps_around_a_run(tmp_path: Path) -> None:
    """A program is run by `subprocess`; what is run around the others is left out, and named."""
    plan = plan_of(
        replace(process("hello", "mprun.worker.command:run_command"), command=("sh", "-c", "echo $0; exit 3", 5)),
        replace(process("last", "jobs:f"), when="exit"),
        folder=tmp_path,
    )
    text = python_script(plan)
    assert "# Left out, as they are run around the others: `last`" in text
    (tmp_path / "script.py").write_text(text)
    ran = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True)
    assert (ran.stdout, ran.returncode) == ("5\n", 1)
