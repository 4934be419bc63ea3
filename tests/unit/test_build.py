"""What is written in a workflow file arrives in the plan: limits and second chances, with every default applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mprun.errors.exceptions import UsageError
from mprun.language.targets import Target
from mprun.loading.prepare import prepare
from mprun.plan.child_spec import Retries, Surroundings
from mprun.plan.plan import Limits, Plan, PoolStep
from mprun.planning.parallel import with_max_parallel

JOBS = """\
class Busy(Exception): pass
class Bus: pass
class Outer:
    class Late(OSError): pass
def a(*args): pass
"""
STEP = "processes: {a: {target: 'jobs:a'}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("jobs.py", "errors.py"):
        (tmp_path / name).write_text(JOBS)
    return tmp_path


def plan_from(text: str, folder: Path, *, check_targets: bool = False) -> Plan:
    file = folder / "w.yaml"
    file.write_text(text)
    return prepare(str(file), check_targets=check_targets)


def limits_of(written: str, folder: Path) -> Limits:
    return plan_from(f"processes: {{a: {{target: 'jobs:a', {written}}}}}", folder).steps[0].limits


def builtin(name: str) -> Target:
    return Target(name, "builtins", "", name)


def test_nothing_written_means_no_limits(folder: Path) -> None:
    plan = plan_from(STEP + "pools: {p: {target: 'jobs:a', map: [1]}}", folder)
    assert [step.limits for step in plan.steps] == [Limits(), Limits()]
    assert (plan.timeout, plan.max_parallel, plan.fail_fast, plan.log_tasks) == (0, 0, False, "all")


def test_the_limits_of_the_run_arrive(folder: Path) -> None:
    plan = plan_from(STEP + "timeout: 2h\nmax_parallel: 8\nfail_fast: true\nlog: {tasks: failures}", folder)
    assert (plan.timeout, plan.max_parallel, plan.fail_fast, plan.log_tasks) == (7200, 8, True, "failures")


@pytest.mark.parametrize("group", ["processes: {a: {target: 'jobs:a'", "pools: {a: {target: 'jobs:a', map: [1]"])
def test_the_limits_of_a_step_arrive(group: str, folder: Path) -> None:
    written = "timeout: 1m30s, step_timeout: 600, slow_after: 500ms, max_memory: 2G, continue_on_error: true"
    (step,) = plan_from(f"{group}, {written}, retries: 3}}}}", folder).steps
    assert step.limits == Limits(90, 600, 0.5, 2 << 30, Retries(count=3), True)


@pytest.mark.parametrize(
    ("written", "size"),
    [("1048576", 1 << 20), ("512M", 512 << 20), ("100MiB", 100 << 20), ("1GB", 1 << 30), ("1.5G", 3 << 29)],
)
def test_units_of_memory_are_powers_of_1024(written: str, size: int, folder: Path) -> None:
    assert limits_of(f"max_memory: {written}", folder).max_memory == size


RETRIES: list[tuple[str, Retries]] = [
    ("0", Retries()),
    ("3", Retries(count=3)),
    ("{count: 3}", Retries(count=3)),
    (
        "{count: 5, delay: 1s, backoff: exponential, max_delay: 30s, jitter: true}",
        Retries(5, 1.0, "exponential", 30.0, True),
    ),
    ("{count: 1, delay: 5m}", Retries(1, 300.0, max_delay=300.0)),
    ("{count: 1, on: [timed_out, lost]}", Retries(1, on=("lost", "timed_out"))),
    ("{count: 1, on: raised}", Retries(1, on=("raised",))),
    ("{count: 1, on: OSError}", Retries(1, on=("raised",), exceptions=(builtin("OSError"),))),
    ("{count: 1, not_on: OSError}", Retries(1, not_exceptions=(builtin("OSError"),))),
    (
        "{count: 1, on: [lost, 'jobs:Busy', OSError, OSError], not_on: ['jobs:Outer.Late']}",
        Retries(
            1,
            on=("raised", "lost"),
            exceptions=(Target("jobs:Busy", "jobs", "", "Busy"), builtin("OSError")),
            not_exceptions=(Target("jobs:Outer.Late", "jobs", "", "Outer.Late"),),
        ),
    ),
]


@pytest.mark.parametrize(("written", "retries"), RETRIES)
def test_retries(written: str, retries: Retries, folder: Path) -> None:
    assert limits_of(f"retries: {written}", folder).retries == retries


def test_the_file_of_an_exception_class_is_found_from_the_workflow(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "errors.py").write_text("class Busy(Exception): pass\n")
    plan = plan_from("processes: {a: {target: 'jobs:a', retries: {count: 1, on: sub/errors.py:Busy}}}", folder)
    file = str(folder / "sub" / "errors.py")
    assert plan.steps[0].limits.retries.exceptions == (Target("sub/errors.py:Busy", "", file, "Busy"),)
    assert str(folder / "sub") in plan.surroundings.pythonpath


def test_max_parallel_from_the_command_line_replaces_the_files(folder: Path) -> None:
    plan = plan_from(STEP + "max_parallel: 8", folder)
    assert with_max_parallel(plan, 2).max_parallel == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STEP[:-2] + ", d: {target: 'jobs:a', daemon: true}}", "no other step would ever start"),
        ("pools: {p: {target: 'jobs:a', map: [1], processes: 4, engine: stdlib}}", "all 4 workers of `p` at once"),
    ],
)
def test_max_parallel_from_the_command_line_must_leave_room(text: str, message: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=message):
        with_max_parallel(plan_from(text, folder), 1)


DEFAULTS: list[tuple[str, str, str, str]] = [
    ("{timeout: 10m}", "", "timeout", "600.0"),
    ("{timeout: 10m}", "timeout: 5", "timeout", "5.0"),
    ("{retries: {count: 3, delay: 1s}}", "", "retries.count", "3"),
    ("{retries: {count: 3, delay: 1s}}", "retries: 1", "retries.delay", "0.0"),
    ("{max_memory: 1G, continue_on_error: true}", "", "continue_on_error", "True"),
    ("{slow_after: '${params.slow}'}", "", "slow_after", "4.0"),
    ("{timeout: 10m, step_timeout: 1h, slow_after: 1m}", "daemon: true", "timeout", "0.0"),
    ("{retries: 2}", "daemon: true", "retries.count", "2"),
    ("{processes: 3, chunksize: 2, maxtasksperchild: 9, engine: stdlib}", "", "timeout", "0.0"),
]


@pytest.mark.parametrize(("defaults", "own", "key", "value"), DEFAULTS)
def test_a_default_is_merged_under_a_step(defaults: str, own: str, key: str, value: str, folder: Path) -> None:
    text = f"params: {{slow: 4}}\ndefaults: {defaults}\nprocesses: {{a: {{target: 'jobs:a', {own}}}}}"
    found: Any = plan_from(text, folder).steps[0].limits
    for name in key.split("."):
        found = getattr(found, name)
    assert str(found) == value


def test_the_defaults_of_pools_arrive(folder: Path) -> None:
    text = "defaults: {processes: 3, chunksize: 2, maxtasksperchild: 9, engine: stdlib}\n"
    text += "pools: {p: {target: 'jobs:a', map: [1]}, q: {target: 'jobs:a', map: [1], processes: 1, engine: local}}"
    p, q = plan_from(text, folder).steps
    assert isinstance(p, PoolStep)
    assert isinstance(q, PoolStep)
    assert (p.processes, p.chunksize, p.maxtasksperchild, p.engine) == (3, 2, 9, "stdlib")
    assert (q.processes, q.chunksize, q.maxtasksperchild, q.engine) == (1, 2, 9, "local")


def test_a_step_adds_to_the_surroundings_of_the_workflow(folder: Path) -> None:
    (folder / "sub").mkdir()
    plan = plan_from(
        "env: {A: '1', B: '2'}\nworking_dir: .\n"
        "processes: {a: {target: 'jobs:a'}, b: {target: 'jobs:a', env: {B: x, C: 3}, working_dir: sub}}",
        folder,
    )
    a, b = (step.surroundings for step in plan.steps)
    assert a == plan.surroundings == Surroundings({"A": "1", "B": "2"}, str(folder), (str(folder),))
    assert b == Surroundings({"A": "1", "B": "x", "C": "3"}, str(folder / "sub"), (str(folder),))


def test_a_globs_paths_are_relative_to_where_the_step_runs(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/x.txt").touch()
    text = "pools: {p: {target: 'jobs:a', map: {glob: 'sub/*.txt'}, working_dir: sub}}"
    (step,) = plan_from(text, folder).steps
    assert isinstance(step, PoolStep)
    assert list(step.source.items()) == ["x.txt"]
