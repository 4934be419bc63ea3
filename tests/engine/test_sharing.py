"""What children share, with real processes: each kind of thing, in processes and pools, for each start method."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from mprun.errors.exceptions import ExitCode
from mprun.language.references import Reference
from mprun.language.targets import parse_target
from mprun.plan.plan import Plan, SharedThing, StartMethod, Step
from mprun.sources.table import ListSource

RunShared = Callable[..., Ran]


def shared(name: str, *parts: str) -> Reference:
    return Reference("shared", (name, *parts))


def things(**kinds: Any) -> tuple[SharedThing, ...]:
    """`name=("Kind", argument, …)`."""
    return tuple(SharedThing(name, kind, tuple(args)) for name, (kind, *args) in kinds.items())


def step(name: str, function: str, *args: Any, needs: tuple[str, ...] = ()) -> Step:
    return process(name, f"sharing_zoo:{function}", *args, folder=HERE, needs=needs)


def plan_with(declared: tuple[SharedThing, ...], *steps: Step, start_method: StartMethod, **options: Any) -> Plan:
    return replace(zoo_plan(*steps, start_method=start_method, **options), shared=declared)


def left_behind(pid: int) -> list[str]:
    """Semaphores and memory of the runs of process `pid` that have a name yet."""
    patterns = (f"sem.mprun-{pid}-*", f"pym-{pid}-*")
    return [path.name for pattern in patterns for path in Path("/dev/shm").glob(pattern)]


@pytest.fixture(scope="session")
def warm_heap() -> None:
    """`multiprocessing` keeps the memory in which small values lie, once it has some."""
    multiprocessing.RawArray("b", 64 * 1024)


@pytest.fixture
def run_shared(start_method: StartMethod, tmp_path: Path, warm: None, warm_heap: None) -> RunShared:
    def run_it(declared: tuple[SharedThing, ...], *steps: Step, **options: Any) -> Ran:
        ran = run(plan_with(declared, *steps, start_method=start_method, **options), tmp_path)
        assert {event["name"] for event in ran.named("shared.made")} == {
            event["name"] for event in ran.named("shared.freed")
        }
        assert left_behind(os.getpid()) == []
        return ran

    return run_it


L, N = shared("lock"), shared("n")
ROWS, GATE, GO, COND = shared("rows"), shared("gate"), shared("go"), shared("cond")

# What is declared, the steps, and what each of them returns.
KINDS: dict[str, tuple[tuple[SharedThing, ...], list[Step], dict[str, Any]]] = {
    "Lock and Value": (
        things(lock=["Lock"], n=["Value", "i", 0]),
        [*(step(name, "add", L, N, 500) for name in "abc"), step("total", "read", N, needs=("a", "b", "c"))],
        {"total": 1500},
    ),
    "RLock": (things(lock=["RLock"], n=["Value", "i", 4]), [step("a", "enter_twice", L, N)], {"a": 5}),
    "Semaphore": (
        things(few=["Semaphore", 2], inside=["Value", "i", 0], most=["Value", "i", 0]),
        [
            *(step(name, "few_at_once", shared("few"), shared("inside"), shared("most")) for name in "abcd"),
            step("most", "read", shared("most"), needs=tuple("abcd")),
        ],
        {},
    ),
    "Event": (things(go=["Event"]), [step("a", "wait_for_it", GO), step("b", "set_it", GO)], {"a": True}),
    "Condition": (
        things(cond=["Condition"], n=["Value", "i", 0]),
        [*(step(name, "wait_until", COND, N) for name in "ab"), step("c", "notify_when", COND, N)],
        {"a": 1, "b": 1},
    ),
    "Barrier": (things(gate=["Barrier", 3]), [step(name, "arrive", GATE, 20) for name in "abc"], {"a": 20, "c": 20}),
    "Array": (
        things(hist=["Array", "d", 4]),
        [
            *(step(f"s{n}", "fill", shared("hist"), n, n + 0.5) for n in range(4)),
            step("total", "total", shared("hist"), needs=("s0", "s1", "s2", "s3")),
        ],
        {"total": 8.0},
    ),
    "Queue": (
        things(rows=["Queue", 10]),
        [step("a", "put_and_say_the_end", ROWS, 300), step("b", "add_up_to_none", ROWS)],
        {"b": 44850},
    ),
    "SimpleQueue": (
        things(rows=["SimpleQueue"]),
        [step("a", "put_all", ROWS, 300), step("b", "add_up", ROWS)],
        {"b": 44850},
    ),
    "JoinableQueue": (
        things(rows=["JoinableQueue", 5]),
        [step("a", "put_and_wait_until_done", ROWS, 30), step("b", "deal_with", ROWS)],
        {"a": "all done", "b": 30},
    ),
    "Pipe": (
        things(ends=["Pipe"]),
        [step("a", "say", shared("ends", "0"), "hello"), step("b", "answer", shared("ends", "1"))],
        {"a": "HELLO", "b": "answered"},
    ),
    "dict and list": (
        things(state=["dict", {"z": 0}], seen=["list", []]),
        [
            *(step(name, "note", shared("state"), shared("seen"), name) for name in ("x", "yy")),
            step("all", "what_is_noted", shared("state"), shared("seen"), needs=("x", "yy")),
        ],
        {"all": [{"z": 0, "x": 1, "yy": 2}, ["x", "yy"]]},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(run_shared: RunShared, kind: str) -> None:
    declared, steps, returned = KINDS[kind]
    ran = run_shared(declared, *steps)
    assert ran.end.exit_code is ExitCode.SUCCEEDED, ran.events
    assert {name: ran.values(name)[0] for name in returned} == returned


def test_how_often_it_was_waited_for_is_told(run_shared: RunShared) -> None:
    """Who is first at a barrier waits; who takes a lock that nobody else uses doesn't."""
    declared = things(gate=["Barrier", 2], lock=["Lock"], n=["Value", "i", 0])
    ran = run_shared(declared, *(step(name, "arrive", GATE) for name in "ab"), step("c", "add", L, N, 9))
    freed = {event["name"]: event for event in ran.named("shared.freed")}
    assert (freed["lock"]["taken"], freed["lock"]["waits"], freed["lock"]["waited"]) == (9, 0, 0)
    assert freed["gate"]["waits"] >= 1
    assert freed["gate"]["waited"] > 0


def test_a_semaphore_lets_few_in(run_shared: RunShared) -> None:
    declared, steps, _ = KINDS["Semaphore"]
    assert run_shared(declared, *steps).values("most")[0] in (1, 2)


def test_a_bounded_semaphore_is_not_released_too_often(run_shared: RunShared) -> None:
    ran = run_shared(things(few=["BoundedSemaphore", 2]), step("a", "release_too_often", shared("few")))
    assert ran.results("a")[0]["exception.type"] == "ValueError"


def test_an_array_is_the_same_memory_for_all(run_shared: RunShared) -> None:
    pytest.importorskip("numpy")
    declared = things(image=["array", {"shape": [3, 1000], "dtype": "float32"}])
    rows = [step(f"row{n}", "rows_sum", shared("image"), n) for n in range(3)]
    ran = run_shared(declared, *rows, step("all", "whole_sum", shared("image"), needs=("row0", "row1", "row2")))
    assert ran.values("all") == [3000.0]


def test_an_array_starts_as_its_file(run_shared: RunShared, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.save(tmp_path / "image.npy", numpy.ones((3, 1000)))
    declared = things(image=["array", {"file": str(tmp_path / "image.npy")}])
    ran = run_shared(
        declared,
        step("row", "rows_sum", shared("image"), 2),
        step("all", "whole_sum", shared("image"), needs=("row",)),
    )
    assert ran.values("all") == [4000.0]
    assert numpy.load(tmp_path / "image.npy").sum() == 3000


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_starts_as_its_file_in_whatever_order_that_is(
    run_shared: RunShared, tmp_path: Path, order: str
) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.save(tmp_path / "image.npy", numpy.asarray(numpy.arange(6000.0).reshape(3, 2000), order=order))
    declared = things(image=["array", {"file": str(tmp_path / "image.npy")}])
    ran = run_shared(declared, *(step(f"s{n}", "row_sum", shared("image"), n) for n in range(3)))
    assert [ran.values(f"s{n}") for n in range(3)] == [[1999000.0], [5999000.0], [9999000.0]]


def test_a_file_that_is_mapped_cannot_be_written(run_shared: RunShared, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.save(tmp_path / "image.npy", numpy.ones((3, 1000)))
    declared = things(image=["array", {"file": str(tmp_path / "image.npy"), "mmap_mode": "r"}])
    ran = run_shared(declared, step("all", "whole_sum", shared("image")), step("row", "rows_sum", shared("image"), 2))
    assert ran.values("all") == [3000.0]
    assert "read-only" in ran.results("row")[0]["exception.message"]


def test_what_a_child_writes_to_a_copied_file_is_its_own(run_shared: RunShared, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.save(tmp_path / "image.npy", numpy.ones((3, 1000)))
    declared = things(image=["array", {"file": str(tmp_path / "image.npy"), "mmap_mode": "c"}])
    ran = run_shared(
        declared,
        step("row", "rows_sum", shared("image"), 2),
        step("all", "whole_sum", shared("image"), needs=("row",)),
    )
    assert (ran.values("row"), ran.values("all")) == ([2000.0], [3000.0])


MODEL = {"call": parse_target("sharing_zoo:load_model", HERE), "args": [7], "kwargs": {}}


def test_an_object_is_made_once(run_shared: RunShared) -> None:
    """Whoever needs it first makes it; the others have what it made."""
    declared = things(model=["object", MODEL], gate=["Barrier", 3])
    ran = run_shared(declared, *(step(name, "maker", shared("model"), GATE) for name in "abc"))
    makers = {ran.values(name)[0] for name in "abc"}
    assert len(makers) == 1
    assert makers < set(ran.children)


def test_an_object_that_cannot_be_made(run_shared: RunShared) -> None:
    made = {"call": parse_target("sharing_zoo:never_made", HERE), "args": [], "kwargs": {}}
    ran = run_shared(things(model=["object", made]), step("a", "die", shared("model")))
    assert ran.results("a")[0]["exception.message"] == "no model today"


# -- pools


def given_to_pool(way: str) -> dict[str, Any]:
    if way == "initargs":
        initializer = parse_target("sharing_zoo:take_over_two", HERE)
        return {"target": "sharing_zoo:add_given", "initializer": initializer, "initargs": (L, N)}
    return {"target": "sharing_zoo:add_with", "kwargs": {"lock": L, "number": N}}


@pytest.mark.parametrize("way", ["initargs", "kwargs"])
def test_a_pool_is_given_what_is_shared(run_shared: RunShared, engine: Any, way: str) -> None:
    options = given_to_pool(way)
    sums = pool("sums", options.pop("target"), list(range(50)), folder=HERE, engine=engine, **options)
    ran = run_shared(things(lock=["Lock"], n=["Value", "i", 0]), sums, step("total", "read", N, needs=("sums",)))
    assert ran.values("total") == [sum(range(50))]


def test_the_one_call_of_a_pool_is_given_what_is_shared(run_shared: RunShared, engine: Any) -> None:
    one = pool("one", "sharing_zoo:add_with", call="apply", args=(5, L, N), folder=HERE, engine=engine)
    ran = run_shared(things(lock=["Lock"], n=["Value", "i", 0]), one, step("total", "read", N, needs=("one",)))
    assert ran.values("total") == [5]


# -- queues that end


def test_a_loop_over_a_queue_ends_with_its_producers(run_shared: RunShared) -> None:
    ran = run_shared(
        things(rows=["Queue", 10]),
        *(step(f"p{n}", "put_all", ROWS, 200) for n in range(2)),
        *(step(f"c{n}", "add_up", ROWS) for n in range(3)),
    )
    assert sum(ran.values(f"c{n}")[0] for n in range(3)) == 2 * 19900
    assert ran.one("shared.ended")["name"] == "rows"
    assert (ran.one("shared.freed")["puts"], ran.one("shared.freed")["gets"]) == (400, 400)


def test_objects_of_all_sizes_come_whole(run_shared: RunShared) -> None:
    """Around what is read at once, what a pipe takes whole, and what it holds."""
    sizes = [*range(130), *range(4000, 4100, 7), 65_530, 65_536, 1_000_000, 0, 1]
    ran = run_shared(things(rows=["Queue"]), step("a", "put_sizes", ROWS, sizes), step("b", "sizes_got", ROWS))
    assert ran.values("b") == [sizes]


def test_queues_end_one_after_the_other(run_shared: RunShared) -> None:
    ran = run_shared(
        things(rows=["Queue", 10], more=["Queue"]),
        step("a", "put_all", ROWS, 100),
        step("b", "pass_on", ROWS, shared("more")),
        step("c", "add_up", shared("more")),
    )
    assert ran.values("c") == [4950 + 100]


def test_a_queue_that_has_ended_goes_on_with_those_who_come_then(run_shared: RunShared) -> None:
    ran = run_shared(
        things(rows=["Queue", 10]),
        step("a", "put_all", ROWS, 100),
        step("b", "add_up", ROWS),
        step("c", "put_all", ROWS, 200, needs=("b",)),
        step("d", "add_up", ROWS, needs=("b",)),
        replace(step("e", "put_all", ROWS, 300), when="exit"),
        replace(step("f", "add_up", ROWS), when="exit"),
    )
    assert [ran.values(name) for name in "bdf"] == [[4950], [19900], [44850]]
    assert len(ran.named("shared.ended")) == 3


def test_what_is_left_in_a_queue_is_there_for_a_step_around_the_run(run_shared: RunShared) -> None:
    ran = run_shared(
        things(rows=["Queue"]), step("a", "put_all", ROWS, 100), replace(step("b", "add_up", ROWS), when="exit")
    )
    assert ran.values("b") == [4950]


def test_a_queue_ends_although_its_producer_was_killed(run_shared: RunShared) -> None:
    ran = run_shared(things(rows=["Queue", 10]), step("a", "put_and_die", ROWS, 50), step("b", "add_up", ROWS))
    assert ran.values("b") == [1225]
    assert ran.end.exit_code is ExitCode.FAILED


def test_getting_from_an_ended_queue_raises(run_shared: RunShared) -> None:
    """Whoever loops over it comes to its end; whoever gets would wait for ever."""
    ran = run_shared(
        things(rows=["Queue"]),
        step("a", "put_all", ROWS, 0),
        step("b", "add_up", ROWS),
        step("c", "get_one", ROWS, needs=("a",)),
    )
    assert ran.outcomes("b") == ["returned"]
    assert ran.results("c")[0]["exception.type"] == "EOFError"


def test_workers_of_a_pool_are_consumers_like_others(run_shared: RunShared, engine: Any) -> None:
    consumers = pool("takers", "sharing_zoo:add_up", [], folder=HERE, engine=engine, kwargs={})
    consumers = replace(consumers, call="starmap", source=ListSource(()), processes=2)
    each = pool("each", "sharing_zoo:put_given", [10, 20], folder=HERE, engine=engine, kwargs={"rows": ROWS})
    ran = run_shared(things(rows=["Queue", 5]), each, step("sum", "add_up", ROWS), consumers)
    assert ran.values("sum") == [sum(range(10)) + sum(range(20))]


@pytest.mark.parametrize("size", [10, 5_000, 300_000])
def test_objects_of_any_size_pass_whole(run_shared: RunShared, size: int) -> None:
    """Short ones in one write, long ones by a thread, mixed and from several at once."""
    ran = run_shared(
        things(rows=["Queue"]),
        *(step(f"p{n}", "put_texts", ROWS, str(n), size, 20) for n in range(2)),
        step("c", "check_texts", ROWS),
    )
    assert ran.values("c") == [{"0": 40, "1": 40}]
