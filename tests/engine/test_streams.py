"""Pools in a row, each taking what the one before gives while that is at work; and items that a generator yields."""

from __future__ import annotations

import dataclasses
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from log_checks import results
from plan_builders import pool, process

from engine.harness import HERE, kill_for_good, read_log, wait_for
from engine.test_results import RunSteps, gives, limited, run_steps
from engine.test_stopping import Running, events_so_far, start, stopped_log
from mprun.errors.exceptions import ExitCode
from mprun.language.references import parse
from mprun.language.targets import parse_target
from mprun.plan.child_spec import Retries
from mprun.plan.plan import PoolStep
from mprun.sources.table import CallSource, ResultsSource, SliceSource

__all__ = ["run_steps", "start"]


def takes_stream(name: str, target: str, of: str, *, call: Any = "imap", **options: Any) -> PoolStep:
    needs = (of, *options.pop("needs", ()))
    return pool(name, target, ResultsSource(of), call=call, streams=True, needs=needs, folder=HERE, **options)


def from_call(name: str, target: str, source: str, *args: Any, call: Any = "imap", **options: Any) -> PoolStep:
    return pool(name, target, CallSource(parse_target(source, HERE), args, {}), call=call, folder=HERE, **options)


def with_args(step: PoolStep, target: str) -> PoolStep:
    return dataclasses.replace(step, target=parse_target(target, HERE))


def errors(ran: Any) -> dict[str, str]:
    return {event["step"]: event["error"] for event in ran.named("step.finished") if "error" in event}


# -- from pool to pool


def test_a_stream_flows_while_its_source_is_at_work(run_steps: RunSteps, tmp_path: Path) -> None:
    """Each task of the first pool waits until the second one has taken the result before it."""
    items = [(str(tmp_path), number) for number in range(20)]
    ran = run_steps(
        gives("first", "flows:waits_for_pair", items, call="imap", processes=1, chunksize=1),
        takes_stream("second", "flows:takes_pair", "first", processes=1, chunksize=1),
    )
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert ran.values("second") == [number * 10 for number in range(20)]


def test_a_stream_whose_last_ones_have_all_failed(run_steps: RunSteps, tmp_path: Path) -> None:
    """The second pool has had the only value when the first one ends: there is nothing left to take but failures."""
    items = [(str(tmp_path), number) for number in range(20)]
    ran = run_steps(
        limited(gives("first", "flows:only_the_first", items, call="imap"), continue_on_error=True),
        takes_stream("second", "flows:waits_for_pair_if_any", "first", processes=1),
        process("end", "flows:takes", str(tmp_path), 0, needs=("first",), folder=HERE),
    )
    assert ran.values("second") == [[str(tmp_path), 1], *[None] * 19]


@pytest.mark.parametrize("first", ["imap", "imap_unordered"])
@pytest.mark.parametrize("second", ["imap", "imap_unordered"])
def test_the_order_of_a_stream(run_steps: RunSteps, first: Any, second: Any) -> None:
    """That of the items where the first pool keeps it, else that in which they were done."""
    ran = run_steps(
        gives("first", "flows:slower_first", 4, call=first, processes=4, chunksize=1),
        takes_stream("second", "flows:same", "first", call=second),
    )
    as_they_came = [result["result"] for result in results(ran.events, "first")]
    assert ran.values("second") == ([0, 1, 2, 3] if first == "imap" else as_they_came)


@pytest.mark.parametrize(("log_tasks", "count"), [("all", 5_000), ("failures", 20_000)])
def test_three_pools_in_a_row(run_steps: RunSteps, log_tasks: Any, count: int) -> None:
    """Thousands of results, each once, in order, through two streams; a fourth step has all of them."""
    ran = run_steps(
        gives("first", "zoo:square", count),
        takes_stream("second", "flows:same", "first", keeps=True, call="imap_unordered"),
        takes_stream("third", "flows:same", "second", keeps=True),
        process("sum", "flows:sums", parse("${results.third}"), needs=("third",), folder=HERE),
        log_tasks=log_tasks,
    )
    assert ran.values("sum") == [[count, sum(number * number for number in range(count))]]


def test_a_stream_under_max_parallel(run_steps: RunSteps) -> None:
    """With room for one child the first pool isn't held back by the second, which can't start before it has ended."""
    ran = run_steps(
        gives("first", "zoo:square", 5000),
        takes_stream("second", "flows:same", "first", keeps=True),
        takes_stream("third", "flows:same", "second"),
        max_parallel=1,
    )
    assert ran.values("third") == [number * number for number in range(5000)]


def test_one_stream_for_two(run_steps: RunSteps) -> None:
    ran = run_steps(
        gives("first", "zoo:square", 3000),
        takes_stream("second", "flows:same", "first"),
        takes_stream("third", "flows:same", "first"),
    )
    assert ran.values("second") == ran.values("third") == [number * number for number in range(3000)]


def test_other_needs_are_waited_for(run_steps: RunSteps) -> None:
    ran = run_steps(
        gives("first", "zoo:square", 10),
        process("other", "zoo:nap", 0.3, folder=HERE),
        takes_stream("second", "flows:same", "first", needs=("other",)),
    )
    (finished,) = [event["seq"] for event in ran.named("step.finished") if event["step"] == "other"]
    (started,) = [event["seq"] for event in ran.named("step.started") if event["step"] == "second"]
    assert finished < started
    assert len(ran.outcomes("second")) == 10


def test_one_result_comes_as_a_whole(run_steps: RunSteps) -> None:
    """A list is there when the call that returns it has ended."""
    ran = run_steps(
        process("first", "flows:numbers", 50, folder=HERE, keeps=True),
        takes_stream("second", "zoo:square", "first"),
    )
    assert ran.values("second") == [number * number for number in range(50)]


def test_large_values_stream(run_steps: RunSteps) -> None:
    """More than may wait at once: they are held back and go on."""
    ran = run_steps(
        gives("first", "flows:text", [3_000_000] * 60, processes=2),
        takes_stream("second", "zoo:length", "first", processes=1),
    )
    assert ran.values("second") == [3_000_000] * 60


def test_failed_tasks_of_a_stream(run_steps: RunSteps) -> None:
    """What took from a step that failed has failed too, and no call had a failed one; if that one may fail, each is
    None in its place."""
    for may_fail in (False, True):
        first = limited(gives("first", "flows:fails_if_odd", 100, chunksize=1), continue_on_error=may_fail)
        ran = run_steps(first, takes_stream("second", "flows:same", "first"))
        assert errors(ran) == ({} if may_fail else {"second": "its items could not be read: `first` failed"})
        if may_fail:
            assert ran.values("second") == [None if number % 2 else number for number in range(100)]
        else:
            assert set(ran.values("second")) <= set(range(0, 100, 2))


def test_what_never_starts_has_no_stream(run_steps: RunSteps) -> None:
    ran = run_steps(
        process("zero", "zoo:raises", folder=HERE),
        gives("first", "zoo:square", 10, needs=("zero",)),
        takes_stream("second", "flows:same", "first"),
    )
    assert [event["step"] for event in ran.named("step.skipped")] == ["first", "second"]


@pytest.mark.parametrize("who", ["first", "second"])
def test_either_side_may_run_out_of_time(run_steps: RunSteps, tmp_path: Path, who: str) -> None:
    """The other side ends as well, also where the items have no end."""
    first = from_call("first", "flows:naps", "flows:endless", keeps=True)
    second = takes_stream("second", "flows:naps", "first")
    late = {"first": first, "second": second}[who]
    steps = [limited(step, step_timeout=0.8) if step is late else step for step in (first, second)]
    ran = run_steps(*steps, grace_period=2.0)
    assert errors(ran)[who].startswith("it took longer than its step_timeout")
    assert set(errors(ran)) == {"first", "second"}


def test_nobody_is_left_to_take_an_endless_stream(run_steps: RunSteps) -> None:
    """The step that was to take it is skipped, as something else that it needs has failed."""
    ran = run_steps(
        from_call("first", "flows:naps", "flows:endless", keeps=True),
        process("other", "zoo:raises", folder=HERE),
        takes_stream("second", "flows:naps", "first", needs=("other",)),
    )
    assert ran.one("step.skipped")["step"] == "second"
    assert errors(ran)["first"] == "it was stopped before the end of its items"


def test_who_is_needed_elsewhere_goes_on(run_steps: RunSteps, tmp_path: Path) -> None:
    """Also when the one that took its results has ended before it: another step waits for it, or a file."""
    late = limited(takes_stream("second", "flows:stays", "first"), step_timeout=0.3)
    first = gives("first", "flows:naps", 300)
    for steps in (
        (first, late, process("sum", "flows:sums", parse("${results.first}"), needs=("first",), folder=HERE)),
        (dataclasses.replace(first, save=str(tmp_path / "first.json")), late),
    ):
        ran = run_steps(*steps, grace_period=0.2)
        assert ran.outcomes("first") == ["returned"] * 300


@pytest.mark.parametrize("victims", ["first", "second", "both"])
def test_workers_of_a_stream_die(start: Any, victims: str) -> None:
    """Kill workers of either side while results flow: each of them arrives, and once."""
    count = 400
    retries = {"retries": Retries(count=50)}
    running = start(
        limited(gives("first", "flows:naps", count), **retries),
        limited(takes_stream("second", "flows:naps", "first"), **retries),
    )
    killed = kill_workers(running, ("first", "second") if victims == "both" else (victims,), 6)
    assert running.end() == (0, "")
    events = read_log(running.log)
    assert Counter(event["result"] for event in results(events, "second")) == Counter(range(count))
    by_task = sorted(results(events, "second"), key=lambda event: event["task"])
    assert [event["result"] for event in by_task] == list(range(count))
    assert killed


def test_idle_workers_die(start: Any, tmp_path: Path) -> None:
    """As often as they like, while they wait for the step before: the pool doesn't give up on them."""
    running = start(
        gives("first", "flows:takes_slowly_pair", [(str(tmp_path), 7)], processes=1),
        takes_stream("second", "flows:same", "first", processes=1),
    )
    for number in range(1, 12):
        pid = wait_for(lambda number=number: ready_worker(running, "second", number))
        kill_for_good(pid)
    (tmp_path / "go").touch()
    assert running.end() == (0, "")
    assert [event["result"] for event in results(read_log(running.log), "second")] == [7]


def ready_worker(running: Running, step: str, number: int) -> int:
    """The pid of worker `number` of `step` once it waits for tasks, 0 before."""
    for event in events_so_far(running.log):
        if event["event"] == "worker.started" and (event["step"], event["worker"]) == (step, number):
            return int(event["pid"]) if waits_for_a_pipe(event["pid"]) else 0
    return 0


def waits_for_a_pipe(pid: int) -> bool:
    """Whether the kernel says that it sleeps until a pipe has something, or has room."""
    return "pipe" in Path(f"/proc/{pid}/wchan").read_text()


def kill_workers(running: Running, steps: tuple[str, ...], most: int) -> int:
    """Kill `most` workers of `steps`, each once it has told of a task, while the run goes on; how many were killed."""
    killed: set[int] = set()

    def victims() -> list[int]:
        events = events_so_far(running.log)
        told = {(e["step"], e["worker"]) for e in events if e["event"] == "task.result" and e["step"] in steps}
        joined = {e["pid"] for e in events if e["event"] == "worker.joined"}
        started = [e for e in events if e["event"] == "worker.started" and (e["step"], e["worker"]) in told]
        return [e["pid"] for e in started if e["pid"] not in joined | killed]

    while len(killed) < most and wait_for(lambda: victims() or running.program.poll() is not None) is not True:
        for pid in victims():
            kill_for_good(pid)
            killed.add(pid)
    return len(killed)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stream_is_stopped(start: Any, tmp_path: Path, number: int, code: int) -> None:
    """A signal amid an endless stream ends both sides and the generator."""
    running = start(
        from_call("first", "flows:naps", "flows:endless", keeps=True),
        with_args(takes_stream("second", "flows:naps", "first", keeps=True), "flows:naps"),
        takes_stream("third", "flows:naps", "second"),
    )
    wait_for(lambda: [e for e in events_so_far(running.log) if e["event"] == "task.result" and e["step"] == "third"])
    running.signal(number)
    stopped_log(running, code)


def test_a_slice_of_a_stream(run_steps: RunSteps) -> None:
    """What it doesn't take holds nobody back; of an endless generator it is an end."""
    first = gives("first", "zoo:square", 5000)
    second = takes_stream("second", "flows:same", "first")
    part = SliceSource(ResultsSource("first"), 3, 2)
    endless = from_call("endless", "zoo:square", "flows:endless")
    ran = run_steps(
        first,
        dataclasses.replace(second, source=part),
        dataclasses.replace(second, name="waiting", source=part, streams=False),
        dataclasses.replace(endless, source=SliceSource(endless.source, 1500, 3)),
    )
    assert ran.values("second") == ran.values("waiting") == [9, 16]
    assert ran.values("endless") == [1500**2, 1501**2, 1502**2]
    assert ran.outcomes("first") == ["returned"] * 5000
    assert ran.end.exit_code is ExitCode.SUCCEEDED


# -- from a generator


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered"])
def test_a_generators_items(run_steps: RunSteps, call: Any) -> None:
    """Each is the item of one task, in the order in which they were yielded."""
    ran = run_steps(from_call("pool", "zoo:square", "flows:counts", 3000, call=call))
    assert ran.values("pool") == [number * number for number in range(3000)]
    assert ran.one("source.joined")["items"] == 3000


def test_a_generators_arguments_and_output(run_steps: RunSteps) -> None:
    """It is given what is known before the start, and what it prints is told as a child's."""
    ran = run_steps(from_call("pool", "zoo:square", "flows:prints_and_counts", 4))
    assert ran.values("pool") == [0, 1, 4, 9]
    assert ran.printed() == [f"yielding {number}" for number in range(4)]


def test_a_generators_large_items(run_steps: RunSteps) -> None:
    """More than the pipe and the parent hold: the generator waits."""
    ran = run_steps(from_call("pool", "zoo:length", "flows:blocks", 40, 1_000_000))
    assert ran.values("pool") == [1_000_000] * 40


ENDS = {
    "raise": "`flows:yields_then` raised ValueError: no more",
    "kill": "the child that calls `flows:yields_then` was killed by SIGKILL",
    "exit": "the child that calls `flows:yields_then` exited with code 3",
    "sys.exit": "`flows:yields_then` raised SystemExit: 4",
    "unpicklable": "`flows:yields_then` raised ",
}


@pytest.mark.parametrize("how", ENDS)
def test_a_generator_that_fails(run_steps: RunSteps, how: str) -> None:
    """The step has failed, and what was yielded before has its results."""
    ran = run_steps(from_call("pool", "zoo:square", "flows:yields_then", how))
    assert errors(ran)["pool"].startswith("its items could not be read: " + ENDS[how])
    assert ran.values("pool") == [0, 1, 4, 9, 16]
    assert ran.end.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("target", ["flows:no_generator", "flows:no_such_function"])
def test_what_is_no_generator(run_steps: RunSteps, target: str) -> None:
    ran = run_steps(from_call("pool", "zoo:square", target))
    assert errors(ran)["pool"].startswith(f"its items could not be read: `{target}` raised ")


def test_a_generator_ends_with_its_pool(run_steps: RunSteps) -> None:
    """A pool that gives up ends an endless generator, and one that is deaf to a polite end."""
    for source in ("flows:endless", "flows:yields_and_stays"):
        step = dataclasses.replace(
            from_call("pool", "zoo:square", source), initializer=parse_target("zoo:raises", HERE)
        )
        ran = run_steps(step, grace_period=0.3)
        assert "could not be set up" in errors(ran)["pool"]


def test_a_generator_waits_for_the_pool(start: Any, tmp_path: Path) -> None:
    """Of an endless source of large items only so many are yielded as the parent and the pipe hold: then its child
    waits for room in the pipe."""
    told = tmp_path / "told"
    running = start(from_call("pool", "flows:stays", "flows:tells_how_far", str(told), processes=1))
    wait_for(lambda: told.exists() and int(told.read_text() or 0) > 20)
    wait_for(lambda: waits_for_a_pipe(generator(running)))
    assert int(told.read_text()) < 100
    running.signal(signal.SIGTERM)
    wait_for(lambda: [e for e in events_so_far(running.log) if e["event"] == "stop.requested"])
    running.signal(signal.SIGTERM)
    stopped_log(running, 143)


def generator(running: Running) -> int:
    (pid,) = [event["pid"] for event in events_so_far(running.log) if event["event"] == "source.started"]
    return int(pid)


def test_what_the_stdlib_engine_refuses(run_steps: RunSteps) -> None:
    """Whoever makes such a plan by hand is told by name, and nothing is begun."""
    ran = run_steps(
        from_call("called", "zoo:square", "flows:counts", 3, engine="stdlib"),
        gives("first", "zoo:square", 3),
        takes_stream("streamed", "zoo:square", "first", engine="stdlib"),
    )
    assert errors(ran) == {
        "called": "the engine `stdlib` can't take items from a generator function: it would run within mprun",
        "streamed": "the engine `stdlib` can't take results before the step that gives them has ended",
    }
