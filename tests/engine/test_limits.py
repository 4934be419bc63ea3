"""Limits and second chances of the local engine and of processes: times, memory, slots, retries, counted tasks."""

from __future__ import annotations

import os
import resource
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from mprun.errors.exceptions import ExitCode
from mprun.language.targets import parse_target
from mprun.plan.child_spec import Retries
from mprun.plan.plan import Limits, StartMethod, Step
from mprun.sources.table import RangeSource

pytestmark = pytest.mark.usefixtures("warm")

LONG = 60.0  # seconds; nothing here may wait that long


def zoo_pool(target: str, source: Any, *, limits: Limits | None = None, name: str = "zoo", **options: Any) -> Step:
    import dataclasses

    step = pool(name, f"zoo:{target}", source, folder=HERE, **options)
    return dataclasses.replace(step, limits=limits or Limits())


def zoo_process(target: str, *args: Any, limits: Limits | None = None, name: str = "zoo", **options: Any) -> Step:
    import dataclasses

    return dataclasses.replace(process(name, f"zoo:{target}", *args, folder=HERE, **options), limits=limits or Limits())


def run_steps(tmp_path: Path, *steps: Step, start_method: StartMethod = "fork", **options: Any) -> Ran:
    return run(zoo_plan(*steps, start_method=start_method, **options), tmp_path)


def exception(name: str) -> Any:
    return parse_target(f"builtins:{name}", HERE)


# -- retries


@pytest.mark.parametrize("how", ["raise", "_exit 7", "kill"])
def test_a_task_is_tried_again(tmp_path: Path, start_method: StartMethod, how: str) -> None:
    """Each failed attempt but the last is `task.retried`, with its number; the result tells which attempt it was."""
    step = zoo_pool(
        "fails_at_first", [[str(tmp_path), 2, how, number] for number in range(4)], call="starmap",
        limits=Limits(retries=Retries(count=2)),
    )  # fmt: skip
    ran = run_steps(tmp_path, step, start_method=start_method)
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert ran.values() == [0, 1, 2, 3]
    assert [result["attempt"] for result in ran.results()] == [3, 3, 3, 3]
    assert Counter(event["task"] for event in ran.named("task.retried")) == dict.fromkeys(range(4), 2)
    assert {event["outcome"] for event in ran.named("task.retried")} == {"raised" if how == "raise" else "lost"}


@pytest.mark.parametrize("how", ["raise", "kill"])
def test_a_process_is_tried_again(tmp_path: Path, start_method: StartMethod, how: str) -> None:
    step = zoo_process("fails_at_first", str(tmp_path), 2, how, 7, limits=Limits(retries=Retries(count=2)))
    ran = run_steps(tmp_path, step, start_method=start_method)
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert [event["attempt"] for event in ran.named("process.retried")] == [1, 2]
    assert [event["attempt"] for event in ran.named("process.started")] == [1, 2, 3]
    assert ran.one("process.result")["result"] == 7


@pytest.mark.parametrize("how", ["raise", "kill"])
def test_a_line_is_of_one_attempt(tmp_path: Path, how: str) -> None:
    """What is printed is told with the attempt that printed it."""
    twice = Limits(retries=Retries(count=2))
    folders = [tmp_path / "pool", tmp_path / "process"]
    for folder in folders:
        folder.mkdir()
    steps = (
        zoo_pool("prints_and_fails_at_first", [[str(folders[0]), 2, how]], call="starmap", limits=twice, name="pool"),
        zoo_process("prints_and_fails_at_first", str(folders[1]), 2, how, limits=twice, name="process"),
    )
    ran = run_steps(tmp_path, *steps)
    for step in ("pool", "process"):
        assert [event["attempt"] for event in ran.named("output") if event["step"] == step] == [1, 2, 3]


def test_the_last_attempt_decides(tmp_path: Path) -> None:
    """`count` is how many times more."""
    step = zoo_pool("raises", [0], limits=Limits(retries=Retries(count=3)))
    ran = run_steps(tmp_path, step)
    assert len(ran.named("task.retried")) == 3
    assert (ran.outcomes(), ran.results()[0]["attempt"]) == (["raised"], 4)


@pytest.mark.parametrize(
    ("retries", "again"),
    [
        (Retries(count=1), True),
        (Retries(count=1, on=("lost",)), False),
        (Retries(count=1, on=("raised",), exceptions=(exception("OSError"),)), True),
        (Retries(count=1, on=("raised",), exceptions=(exception("ValueError"),)), False),
        (Retries(count=1, not_exceptions=(exception("FileNotFoundError"),)), False),
        (Retries(count=1, not_exceptions=(exception("PermissionError"),)), True),
    ],
)
def test_which_exceptions_are_tried_again(tmp_path: Path, retries: Retries, again: bool) -> None:
    """A class stands for its subclasses; `not_on` wins."""
    ran = run_steps(
        tmp_path,
        zoo_pool("raises_file_not_found", [0], limits=Limits(retries=retries), name="pool"),
        zoo_process("raises_file_not_found", limits=Limits(retries=retries), name="process"),
    )
    assert len(ran.named("task.retried")) == len(ran.named("process.retried")) == again


def test_without_retries_nothing_is_run_twice(tmp_path: Path, start_method: StartMethod) -> None:
    """A worker's death costs the task at work; the others of its batch are handed out again, as first attempts."""
    step = zoo_pool("end", ["ok"] * 20 + ["kill"] + ["ok"] * 20, chunksize=41, processes=1)
    ran = run_steps(tmp_path, step, start_method=start_method)
    assert ran.outcomes() == ["returned"] * 20 + ["lost"] + ["returned"] * 20
    assert {result["attempt"] for result in ran.results()} == {1}
    assert ran.named("task.retried") == []


def test_a_delay_is_kept(tmp_path: Path) -> None:
    step = zoo_pool("raises", [0], limits=Limits(retries=Retries(count=2, delay=0.05, backoff="exponential")))
    ran = run_steps(tmp_path, step)
    assert [event["retry_in"] for event in ran.named("task.retried")] == [0.05, 0.1]
    assert ran.one("step.finished")["duration"] >= 0.15


# -- times


def test_a_task_that_takes_too_long(tmp_path: Path, start_method: StartMethod) -> None:
    """It is timed_out, all others return, and the reason is told."""
    step = zoo_pool(
        "sleeps_if", [[LONG, 5, number] for number in range(20)], call="starmap", limits=Limits(timeout=0.2)
    )
    ran = run_steps(tmp_path, step, start_method=start_method)
    assert ran.outcomes() == ["returned"] * 5 + ["timed_out"] + ["returned"] * 14
    assert "timeout of 0.2 s" in ran.results()[5]["reason"]


def test_a_task_that_is_deaf_to_sigterm(tmp_path: Path) -> None:
    step = zoo_pool(
        "sleeps_deaf_if", [[LONG, 2, number] for number in range(4)], call="starmap", limits=Limits(timeout=0.2)
    )
    ran = run_steps(tmp_path, step, grace_period=0.1)
    assert ran.outcomes() == ["returned", "returned", "timed_out", "returned"]
    assert "SIGKILL" in {event["signal"] for event in ran.named("worker.joined")}


def test_a_task_that_answers_sigterm(tmp_path: Path) -> None:
    """What it raises when it is asked to end is still a timeout."""
    ran = run_steps(tmp_path, zoo_pool("answers_sigterm", [LONG], limits=Limits(timeout=0.1)), grace_period=0.2)
    assert ran.outcomes() == ["timed_out"]


def test_a_stopped_worker_is_timed_out(tmp_path: Path) -> None:
    """SIGSTOP is answered by nothing but a timeout."""
    ran = run_steps(tmp_path, zoo_pool("end", ["ok", "stop", "ok"], limits=Limits(timeout=0.3)), grace_period=0.1)
    assert ran.outcomes() == ["returned", "timed_out", "returned"]


def test_a_timeout_can_be_tried_again(tmp_path: Path) -> None:
    step = zoo_pool("nap", [LONG], limits=Limits(timeout=0.1, retries=Retries(count=1)))
    ran = run_steps(tmp_path, step)
    assert ran.one("task.retried")["outcome"] == "timed_out"
    assert (ran.outcomes(), ran.results()[0]["attempt"]) == (["timed_out"], 2)


def test_a_process_that_takes_too_long(tmp_path: Path, start_method: StartMethod) -> None:
    ran = run_steps(tmp_path, zoo_process("nap", LONG, limits=Limits(timeout=0.2)), start_method=start_method)
    assert ran.one("process.result")["outcome"] == "timed_out"
    assert ran.one("process.joined")["signal"] == "SIGTERM"


def test_a_step_that_takes_too_long(tmp_path: Path, engine: str) -> None:
    """Its tasks are cancelled, the step has failed, others go on."""
    ran = run_steps(
        tmp_path,
        zoo_pool("nap", [LONG] * 5, limits=Limits(step_timeout=0.3), engine=engine),
        zoo_process("square", 3, name="other"),
        grace_period=0.2,
    )
    [finished] = [event for event in ran.named("step.finished") if event["step"] == "zoo"]
    assert (finished["outcome"], finished["cancelled"]) == ("failed", 5)
    assert "step_timeout of 0.3 s" in finished["error"]
    assert ran.outcomes("other") == ["returned"]


def test_a_run_that_takes_too_long(tmp_path: Path) -> None:
    ran = run_steps(
        tmp_path, zoo_process("nap", LONG), zoo_process("nap", 0.0, name="next", needs=("zoo",)), timeout=0.3
    )
    assert ran.end.exit_code is ExitCode.FAILED
    assert ran.one("process.result")["outcome"] == "cancelled"
    assert "the run's timeout of 0.3 s" in ran.one("step.skipped")["reason"]


@pytest.mark.parametrize("kind", [zoo_pool, zoo_process], ids=["pool", "process"])
def test_a_run_that_ends_waits_for_no_further_attempt(tmp_path: Path, kind: Any) -> None:
    """The next one would be due long after the time that any run here may take."""
    again = Limits(retries=Retries(count=1, delay=1_000.0, max_delay=1_000.0))
    step = zoo_pool("raises", [0], limits=again) if kind is zoo_pool else zoo_process("raises", 0, limits=again)
    ran = run_steps(tmp_path, step, timeout=1.0)
    assert ran.end.exit_code is ExitCode.FAILED
    assert ran.outcomes() == ["cancelled"]


def test_a_slow_task_is_reported_with_its_stack(tmp_path: Path, start_method: StartMethod) -> None:
    """While it runs, once, and its result is not changed by it."""
    ran = run_steps(
        tmp_path,
        zoo_pool("nap", [0.0, 0.6], limits=Limits(slow_after=0.1), name="pool"),
        zoo_process("nap", 0.6, limits=Limits(slow_after=0.1), name="process"),
        start_method=start_method,
    )
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    for event in (ran.one("task.slow"), ran.one("process.slow")):
        assert "in nap" in event["stack"]
    assert ran.one("task.slow")["task"] == 1


# -- memory, slots, stops


def test_a_child_that_holds_too_much_memory(tmp_path: Path, start_method: StartMethod) -> None:
    limits = Limits(max_memory=200 * 2**20)
    ran = run_steps(
        tmp_path,
        zoo_pool("fills_memory", [2**20, 2**28, 2**20], limits=limits, name="pool"),
        zoo_process("fills_memory", 2**28, limits=limits, name="process"),
        start_method=start_method,
    )
    assert ran.outcomes("pool") == ["returned", "lost", "returned"]
    assert ran.outcomes("process") == ["lost"]
    assert "max_memory of 209,715,200 bytes" in ran.results("pool")[1]["reason"]


def test_no_more_children_at_once_than_max_parallel(tmp_path: Path) -> None:
    """Over pools and processes together; and all of them come to their turn."""
    folder = tmp_path / "living"
    folder.mkdir()
    ran = run_steps(
        tmp_path,
        zoo_pool("counts_the_living", [[str(folder), n] for n in range(12)], call="starmap", processes=4, name="pool"),
        *(zoo_process("counts_the_living", str(folder), 100 + n, name=f"process{n}") for n in range(6)),
        max_parallel=2,
    )
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert max(event["result"] for event in ran.named("task.result") + ran.named("process.result")) <= 2


def test_fail_fast(tmp_path: Path) -> None:
    """The first failure ends the run: what is at work may end, nothing else begins."""
    ran = run_steps(
        tmp_path,
        zoo_pool("end", ["raise"] + ["ok"] * 1000, processes=1, chunksize=1),
        zoo_process("square", 2, name="later", needs=("zoo",)),
        fail_fast=True,
    )
    assert ran.end.exit_code is ExitCode.FAILED
    assert ran.outcomes()[0] == "raised"
    assert Counter(ran.outcomes())["cancelled"] > 900
    assert "fail_fast" in ran.one("step.skipped")["reason"]


def test_continue_on_error(tmp_path: Path) -> None:
    """The failure is recorded, what needs the step runs, and the exit code is that of a success."""
    ran = run_steps(
        tmp_path,
        zoo_process("raises", limits=Limits(continue_on_error=True)),
        zoo_process("square", 2, name="next", needs=("zoo",)),
        fail_fast=True,
    )
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert (ran.outcomes(), ran.outcomes("next")) == (["raised"], ["returned"])


def test_a_parent_with_very_many_open_files(tmp_path: Path) -> None:
    """A forked child inherits them all, and its own come behind them."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(min(1100, most - 300))]
    try:
        ran = run_steps(tmp_path, zoo_process("square", 3, name="process"), zoo_pool("square", [1, 2], name="pool"))
    finally:
        for fd in files:
            os.close(fd)
    assert ran.end.exit_code is ExitCode.SUCCEEDED


# -- counted tasks


@pytest.mark.parametrize("how", ["raise", "kill", "_exit 7"])
def test_lines_for_failures_only(tmp_path: Path, start_method: StartMethod, how: str) -> None:
    """What returned is counted in ranges that leave nothing out; what failed has its line."""
    items = ["ok"] * 500 + [how] + ["ok"] * 500
    ran = run_steps(tmp_path, zoo_pool("end", items), start_method=start_method, log_tasks="failures")
    assert [(result["task"], result["outcome"]) for result in ran.results()] == [
        (500, "raised" if how == "raise" else "lost")
    ]
    ranges = sorted((event["first"], event["last"]) for event in ran.named("tasks.counted"))
    assert [task for first, last in ranges for task in range(first, last + 1)] == [*range(500), *range(501, 1001)]
    assert ran.one("step.finished")["returned"] == 1000


def test_a_huge_range_needs_no_lines(tmp_path: Path) -> None:
    ran = run_steps(tmp_path, zoo_pool("square", RangeSource(0, 200_000, 1), call="imap"), log_tasks="failures")
    assert ran.one("run.finished")["returned"] == 200_000
    assert len(ran.events) < 50
