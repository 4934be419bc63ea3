"""What every engine owes, for each start method: an end in time, one outcome a task, no process left (`harness`)."""

from __future__ import annotations

import gc
from collections import Counter
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import pytest

from engine.conftest import RunPool, RunProcess
from engine.harness import HERE, kill_for_good, wait_for
from mprun.errors.exceptions import ExitCode
from mprun.language.targets import parse_target
from mprun.sources.table import LinesSource, RangeSource

# How a child may end in the middle of its work → its exit code, and the signal's name.
DEATHS = {
    "_exit 0": (0, None),
    "_exit 7": (7, None),
    "kill": (-9, "SIGKILL"),
    "segfault": (-11, "SIGSEGV"),
    "half a frame": (-9, "SIGKILL"),
    "grandchild": (-9, "SIGKILL"),
    "rubbish": (-9, "SIGKILL"),
    "close frames": (1, None),
    "close all": (1, None),
    "killpg": (-15, "SIGTERM"),
    "trace": (1, None),
}


# Those that go on to return: what they returned may be known before their worker is ended.
RETURNS = {"rubbish", "close frames", "close all"}


SIXTY = {"fork": 60, "forkserver": 60, "spawn": 20}  # an interpreter for each takes its time

MANY = {"fork": 5_000, "forkserver": 20_000}  # once the children are there, the way of a task is the same for both


# -- results


def test_a_process_returns(run_process: RunProcess) -> None:
    """A process's value is its one result, and the run succeeds."""
    ran = run_process("square", 5)
    assert ran.values() == [25]
    assert ran.one("process.joined")["exitcode"] == 0
    assert ran.end.exit_code is ExitCode.SUCCEEDED


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered"])
@pytest.mark.parametrize("chunksize", [0, 7])
def test_every_item_has_its_result(run_pool: RunPool, call: Any, chunksize: int) -> None:
    """However the items are cut and handed out, each has the result of its own call."""
    ran = run_pool("slow_square", 20, call=call, chunksize=chunksize, processes=3)
    assert ran.values() == [number * number for number in range(20)]
    assert ran.end.exit_code is ExitCode.SUCCEEDED


def test_starmap_spreads_its_items(run_pool: RunPool) -> None:
    """Each item of `starmap` is the list of a call's arguments."""
    assert run_pool("add", [(1, 2), [3, 4]], call="starmap").values() == [3, 7]


def test_apply_makes_one_call(run_pool: RunPool) -> None:
    """`apply` has its own arguments, and one task."""
    assert run_pool("keywords", call="apply", args=(5,), kwargs={"other": 3}).values() == [2]


@pytest.mark.parametrize("call", ["map", "starmap", "imap", "imap_unordered"])
def test_no_items(run_pool: RunPool, call: Any) -> None:
    """A pool without items succeeds without a task."""
    ran = run_pool("square", [], call=call)
    assert ran.outcomes() == []
    assert ran.end.exit_code is ExitCode.SUCCEEDED


@pytest.mark.parametrize("call", ["map", "imap"])
def test_many_quick_tasks(run_pool: RunPool, start_method: str, call: Any) -> None:
    """Thousands of tasks, and tens of thousands: each once, none lost."""
    count = MANY[start_method]
    ran = run_pool("square", count, call=call, chunksize=0 if call == "map" else 100)
    assert ran.values() == [number * number for number in range(count)]


def test_each_task_in_a_worker_of_its_own(run_pool: RunPool) -> None:
    """With `maxtasksperchild: 1` no worker does a second task, and each is joined as retired."""
    ran = run_pool("pid", 12, maxtasksperchild=1, chunksize=1)
    assert len(set(ran.values())) == 12
    assert {event["reason"] for event in ran.named("worker.joined") if event["tasks"]} == {"retired"}


def test_sixty_at_once(run_pool: RunPool, start_method: str) -> None:
    """Many more workers than CPUs start, do what there is and end."""
    assert run_pool("square", 120, processes=SIXTY[start_method], chunksize=1).outcomes() == ["returned"] * 120


def test_huge_values_both_ways(run_pool: RunPool, run_process: RunProcess) -> None:
    """10 MB as an argument and as a result pass; the log has their beginning and size."""
    assert run_pool("length", ["x" * 10_000_000, "y"]).values() == [10_000_000, 1]
    (result,) = run_process("huge", 10_000_000).values()
    assert result["size"] == 10_000_000
    assert len(result["$repr"]) <= 200


ODD_VALUES = {
    "nan": {"$float": "nan"},
    "bytes": {"$bytes": "AP8="},
    "surrogate": "\\udc80",
    "repr": {"$repr": "<zoo.BadRepr: its repr raised RuntimeError>", "type": "zoo.BadRepr"},
}


def test_odd_values(run_pool: RunPool) -> None:
    """What JSON lacks has its form; what has none is told by its type and its repr, if there is one."""
    assert dict(zip(ODD_VALUES, run_pool("odd_value", list(ODD_VALUES)).values(), strict=True)) == ODD_VALUES


@pytest.mark.parametrize("name", ["recursive", "deep", "len", "number"])
def test_values_that_defeat_a_description(run_pool: RunPool, name: str) -> None:
    """Endless, deep, huge, or with methods that exit: such a result is one outcome like any other."""
    ran = run_pool("odd_value", [name, "nan"])
    assert ran.outcomes() in (["returned", "returned"], ["unpicklable", "returned"])


@pytest.mark.parametrize("target", ["unpicklable"])
def test_a_result_that_cannot_be_pickled(run_pool: RunPool, run_process: RunProcess, target: str) -> None:
    """Its task is `unpicklable`, with the reason; the others go on."""
    for ran in (run_pool(target, 3), run_process(target)):
        assert set(ran.outcomes()) == {"unpicklable"}
        assert {result["what"] for result in ran.results()} == {"result"}
        assert ran.end.exit_code is ExitCode.FAILED


def test_a_result_that_cannot_be_unpickled(run_pool: RunPool) -> None:
    """It harms nobody: the parent doesn't load what children return."""
    assert run_pool("unloadable", 3).outcomes() == ["returned"] * 3


# -- exceptions


def test_an_exception_is_told_with_the_users_frames(run_pool: RunPool, run_process: RunProcess) -> None:
    """Type, message, and a traceback that begins in the user's code."""
    for ran in (run_pool("raises", 1), run_process("raises")):
        (result,) = ran.results()
        assert (result["exception.type"], result["exception.message"]) == ("ValueError", "no such thing")
        frames = [line for line in result["exception.stacktrace"].splitlines() if line.startswith("  File")]
        assert len(frames) == 1
        assert "zoo.py" in frames[0]
        assert ran.end.exit_code is ExitCode.FAILED


def test_a_target_that_is_not_there(run_pool: RunPool, run_process: RunProcess) -> None:
    """A process has raised; a pool's workers can't be set up, and its tasks are not begun."""
    assert run_process("no_such_function").results()[0]["exception.type"] == "AttributeError"
    ran = run_pool("no_such_function", 3)
    assert ran.outcomes() == ["cancelled"] * 3
    assert "no_such_function" in ran.one("step.finished")["error"]


@pytest.mark.parametrize(
    "name", ["unloadable", "unpicklable", "wordless", "interrupt", "generator", "surrogate", "control", "group"]
)
def test_odd_exceptions(run_pool: RunPool, name: str) -> None:
    """An exception that can't travel, has no words or is no Exception is `raised` all the same, and costs one task."""
    ran = run_pool("raise_odd", [name, name])
    assert ran.outcomes() == ["raised", "raised"]
    assert all(result["exception.type"] for result in ran.results())


def test_endless_recursion(run_pool: RunPool) -> None:
    """A RecursionError is raised, its traceback bounded."""
    assert [result["exception.type"] for result in run_pool("recurse", 2).results()] == ["RecursionError"] * 2


def test_a_task_that_runs_out_of_memory(run_pool: RunPool) -> None:
    """Where it is an exception it is raised like any other, and the worker goes on."""
    ran = run_pool("end", ["ok", "memory", "ok"])
    assert ran.outcomes() == ["returned", "raised", "returned"]
    assert ran.results()[1]["exception.type"] == "MemoryError"


def test_exits(run_pool: RunPool, run_process: RunProcess) -> None:
    """`sys.exit(0)` is a return, any other exit is raised, and the worker goes on."""
    assert run_pool("end", ["exit 0", "exit 3", "ok"]).outcomes() == ["returned", "raised", "returned"]
    assert run_process("end", "exit 0").outcomes() == ["returned"]
    assert run_process("end", "exit 3").outcomes() == ["raised"]


# -- deaths


@pytest.mark.parametrize("how", DEATHS)
def test_a_process_dies(run_process: RunProcess, how: str) -> None:
    """A child that ends without saying how is lost, with its exit code and signal."""
    ran = run_process("end", how)
    (result,) = ran.results()
    assert result["outcome"] == "lost"
    if how != "rubbish":  # it may have ended by itself before mprun has read it
        assert (result["exitcode"], result["signal"]) == DEATHS[how]
    assert ran.end.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("how", DEATHS)
def test_a_busy_worker_dies(run_pool: RunPool, engine: str, how: str) -> None:
    """The task at work is lost. With `local` no other is; with `stdlib` the pool breaks, and what has no result is."""
    ran = run_pool("end", ["ok"] * 5 + [how] + ["ok"] * 5, chunksize=1)
    assert set(ran.outcomes()) <= {"lost", "returned"}
    if engine == "local":
        # One that writes rubbish may have begun the next one before it is killed.
        assert Counter(ran.outcomes())["returned"] >= (9 if how == "rubbish" else 10)
    if how not in RETURNS:
        assert ran.outcomes()[5] == "lost"
        assert ran.results()[5]["signal"] == DEATHS[how][1]
        assert ran.end.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("how", ["ok", "kill", "close frames"])
def test_no_pool_waits_for_a_collection(run_pool: RunPool, how: str) -> None:
    """A `multiprocessing.Pool` is freed when its step ends: a collection in another place would free its semaphores
    inside the resource tracker, and fail there."""
    gc.collect()
    before = pools()
    gc.disable()
    try:
        run_pool("end", ["ok"] * 5 + [how] + ["ok"] * 5, chunksize=1)
        wait_for(lambda: pools() <= before)
    finally:
        gc.enable()


def pools() -> set[int]:
    """The ids of all Pools; those whose threads a stray process keeps from ending stay."""
    return {id(known) for known in gc.get_objects() if isinstance(known, Pool)}


def test_every_worker_dies(run_pool: RunPool) -> None:
    """Tasks that all kill their workers end the pool; each has an outcome."""
    ran = run_pool("end", ["kill"] * 8, chunksize=1)
    assert set(ran.outcomes()) <= {"lost", "cancelled"}
    assert "lost" in ran.outcomes()


@pytest.mark.parametrize("how", ["raise", "exit 0", "exit 3", "_exit 0", "_exit 7", "kill", "segfault"])
def test_an_initializer_that_fails(run_pool: RunPool, how: str) -> None:
    """No task begins, and the pool gives up with a reason instead of starting workers for ever."""
    initializer = parse_target("zoo:initializer_end", HERE)
    ran = run_pool("square", 4, initializer=initializer, initargs=(how,))
    assert set(ran.outcomes()) <= {"cancelled", "lost"}
    assert ran.one("step.finished")["error"]
    assert len(ran.children) < 50


def test_a_stray_grandchild_that_floods_the_output(run_process: RunProcess, tmp_path: Path) -> None:
    """It left the group, holds the pipes and writes on and on: the run ends all the same."""
    path = tmp_path / "pid"
    try:
        assert run_process("stray", str(path)).outcomes() == ["returned"]
    finally:
        kill_for_good(int(path.read_text()))


def test_a_thread_left_running(run_pool: RunPool, run_process: RunProcess) -> None:
    """A process that has returned ends when its threads do; so does a worker."""
    assert run_process("thread_left", 0.1).outcomes() == ["returned"]
    assert run_pool("thread_left", [0.1]).outcomes() == ["returned"]


# -- what user code may do to its process


@pytest.mark.parametrize(
    "what",
    [
        "cwd",
        "stdout",
        "no stdout",
        "closed stdout",
        "signals",
        "environ",
        "path",
        "modules",
        "fork",
        "no files",
        "blocked",
        "name",
    ],
)
def test_changed_surroundings(run_pool: RunPool, run_process: RunProcess, what: str) -> None:
    """A task that changes its process is a task that returned, and so are the next."""
    assert run_process("replace", what).outcomes() == ["returned"]
    assert run_pool("replace", [what] * 4).outcomes() == ["returned"] * 4


def test_the_first_descriptors_closed(run_process: RunProcess) -> None:
    """mprun's own pipes are out of the way of code that closes descriptors 0 to 9."""
    assert run_process("replace", "fds").outcomes() == ["returned"]


def test_the_first_descriptors_closed_in_a_pool(run_pool: RunPool, engine: str) -> None:
    """`multiprocessing.Pool` has its queues there, and breaks; `local` does not."""
    ran = run_pool("replace", ["fds"] * 4)
    assert ran.outcomes() == ["returned"] * 4 if engine == "local" else "returned" in ran.outcomes()


def test_a_pool_within_a_worker(run_pool: RunPool) -> None:
    """Workers may have children of their own."""
    assert run_pool("nested", [3, 4]).values() == [[0, 1, 4], [0, 1, 4, 9]]


# -- output

PRINTED = {
    "print": ["from Python"],
    "write": ["from C"],
    "subprocess": ["from a subprocess"],
    "partial": ["no end"],
    "both": ["out"],
}


@pytest.mark.parametrize("how", PRINTED)
def test_output(run_pool: RunPool, run_process: RunProcess, how: str) -> None:
    """What a child prints, in whichever way, is in the log, a line an event."""
    assert run_process("prints", how).printed() == PRINTED[how]
    assert run_pool("prints", [how]).printed() == PRINTED[how]


def test_output_of_a_task_is_its_own(run_pool: RunPool) -> None:
    """A printed line names the task that printed it, and stands before that task's result."""
    ran = run_pool("prints", ["print", "partial", "print", "partial"])
    for line in ran.named("output"):
        assert line["text"] == ("from Python", "no end")[line["task"] % 2]
        assert line["seq"] < ran.results()[line["task"]]["seq"]
    assert len(ran.named("output")) == 4


def test_a_line_of_a_megabyte(run_pool: RunPool) -> None:
    """It comes in pieces, whole."""
    assert "".join(run_pool("prints", ["long"]).printed()) == "x" * 1_000_000


def test_binary_output(run_pool: RunPool) -> None:
    """Bytes that are no UTF-8 are spelled out."""
    assert "\\xff" in "".join(run_pool("prints", ["binary"]).printed())


def test_output_from_threads(run_pool: RunPool) -> None:
    """Nothing of what threads print at the same time is lost. (`print` itself writes its line in two pieces.)"""
    printed = "".join(run_pool("prints", ["threads"]).printed())
    assert sorted(printed.split("thread ")[1:], key=int) == [str(i) for i in range(20)]


def test_a_signal_handler_that_prints(run_process: RunProcess) -> None:
    """A handler that prints amid another print harms nothing: no deadlock, no torn frame."""
    ran = run_process("prints", "handler")
    assert ran.outcomes() == ["returned"]
    assert "".join(ran.printed()).count("line") > 4000


# -- items


@pytest.mark.parametrize("call", ["map", "imap"])
@pytest.mark.parametrize("content", [None, b"one\ntwo\n\xff\n"])
def test_items_that_cannot_be_read(run_pool: RunPool, tmp_path: Path, call: Any, content: bytes | None) -> None:
    """A file that vanished or isn't UTF-8: what was handed out has its outcome, the step fails and says why."""
    path = tmp_path / "items.txt"
    if content is not None:
        path.write_bytes(content)
    ran = run_pool("length", LinesSource(str(path)), call=call)
    assert "could not be read" in ran.one("step.finished")["error"]
    assert ran.end.exit_code is ExitCode.FAILED


def test_huge_ranges_stream(run_pool: RunPool, start_method: str) -> None:
    """The items of `imap_unordered` needn't be held in memory; each has its result."""
    count = MANY[start_method]
    assert len(run_pool("square", RangeSource(0, count, 1), call="imap_unordered", chunksize=50).outcomes()) == count


# -- processes


def test_a_daemon_is_ended_with_the_run(run_process: RunProcess) -> None:
    """A daemon is stopped at the end, which is no failure."""
    ran = run_process("nap", 1000, daemon=True)
    assert ran.outcomes() == ["cancelled"]
    assert ran.end.exit_code is ExitCode.SUCCEEDED
