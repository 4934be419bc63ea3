"""Results that flow from step to step: each value whole, in its place and once, whoever dies on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from log_checks import results
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from mprun.errors.exceptions import ExitCode
from mprun.language.references import parse
from mprun.language.targets import parse_target
from mprun.plan.child_spec import Retries
from mprun.plan.plan import Limits, PoolStep, StartMethod, Step
from mprun.results.files import LARGE
from mprun.sources.table import ResultsSource
from mprun.system.temporary import claim_folder

RunSteps = Callable[..., Ran]


@pytest.fixture
def run_steps(start_method: StartMethod, tmp_path: Path, warm: None) -> RunSteps:
    def run_it(*steps: Step, **options: Any) -> Ran:
        return run(zoo_plan(*steps, start_method=start_method, **options), tmp_path)

    return run_it


def gives(name: str, target: str, source: Any = 0, **options: Any) -> PoolStep:
    return pool(name, target, source, folder=HERE, keeps=True, **options)


def takes(target: str, reference: str, *needs: str, name: str = "taker", **kwargs: Any) -> Step:
    return process(name, target, parse(reference), needs=needs, folder=HERE, **kwargs)


def limited(step: Any, **limits: Any) -> Any:
    return dataclasses.replace(step, limits=Limits(**limits))


# -- into arguments


def test_what_a_process_returns(run_steps: RunSteps) -> None:
    """It arrives as it was returned; a path leads into it; within a text it is written out."""
    ran = run_steps(
        process("maker", "flows:record", 3, folder=HERE, keeps=True),
        process(
            "taker",
            "flows:arguments",
            parse("${results.maker}"),
            parse("${results.maker.square}"),
            [{"deep": parse("is ${results.maker.name}!")}],
            last=None,
            needs=("maker",),
            folder=HERE,
        ),
    )
    record = {"name": "n3", "square": 9}
    assert ran.values("taker") == [[record, 9, [{"deep": "is n3!"}], {"last": None}]]


@pytest.mark.parametrize("call", ["map", "imap", "starmap"])
@pytest.mark.parametrize("log_tasks", ["all", "failures"])
def test_what_a_pool_returns(run_steps: RunSteps, engine: Any, call: Any, log_tasks: Any) -> None:
    """A list in the order of the items, however the tasks end and are logged."""
    if engine == "stdlib" and log_tasks == "failures":
        pytest.skip("refused before the start")
    items = [(number,) for number in range(4)] if call == "starmap" else 4
    ran = run_steps(
        gives("maker", "flows:slower_first", items, call=call, engine=engine, processes=4, chunksize=1),
        takes("flows:same", "${results.maker}", "maker"),
        log_tasks=log_tasks,
    )
    assert ran.values("taker") == [[0, 1, 2, 3]]


def test_a_whole_list_is_in_the_order_of_the_items(run_steps: RunSteps, engine: Any) -> None:
    """However the results came: as an argument, and as the items of a pool that doesn't stream."""
    maker = gives("maker", "flows:slower_first", 4, call="imap_unordered", engine=engine, processes=4, chunksize=1)
    mapped = pool("mapped", "flows:same", ResultsSource("maker"), needs=("maker",), folder=HERE)
    ran = run_steps(maker, takes("flows:same", "${results.maker}", "maker"), mapped)
    assert [result["result"] for result in results(ran.events, "maker")] == [3, 2, 1, 0]
    assert ran.values("taker") == [[0, 1, 2, 3]]
    assert ran.values("mapped") == [0, 1, 2, 3]


def test_one_call_gives_one_value(run_steps: RunSteps, engine: Any) -> None:
    maker = gives("maker", "flows:numbers", call="apply", args=(3,), engine=engine)
    ran = run_steps(maker, takes("flows:arguments", "${results.maker}", "maker"))
    assert ran.values("taker") == [[[0, 1, 2], {}]]


def test_a_pools_arguments(run_steps: RunSteps, engine: Any) -> None:
    """References in the arguments of an `apply`, among written items and in an initializer's arguments."""
    ran = run_steps(
        process("maker", "flows:numbers", 3, folder=HERE, keeps=True),
        pool(
            "applied",
            "flows:arguments",
            call="apply",
            args=(parse("${results.maker.1}"),),
            kwargs={"all": parse("${results.maker}")},
            engine=engine,
            needs=("maker",),
            folder=HERE,
        ),
        pool("mapped", "flows:same", [5, parse("${results.maker.2}")], engine=engine, needs=("maker",), folder=HERE),
        pool(
            "set_up",
            "flows:recall",
            1,
            initializer=parse_target("flows:remember", HERE),
            initargs=(parse("${results.maker}"),),
            engine=engine,
            needs=("maker",),
            folder=HERE,
        ),
    )
    assert ran.values("applied") == [[1, {"all": [0, 1, 2]}]]
    assert ran.values("mapped") == [5, 2]
    assert ran.values("set_up") == [[0, 1, 2]]


def test_failed_ones_are_none_in_their_place(run_steps: RunSteps, engine: Any) -> None:
    """Where a step may fail, what needs it goes on."""
    for call in ("map", "imap_unordered"):
        maker = limited(gives("maker", "flows:fails_if_odd", 4, call=call, engine=engine), continue_on_error=True)
        ran = run_steps(maker, takes("flows:same", "${results.maker}", "maker"))
        assert ran.values("taker") == [[0, None, 2, None]]
    failed = limited(process("maker", "zoo:raises", folder=HERE, keeps=True), continue_on_error=True)
    assert run_steps(failed, takes("flows:same", "${results.maker}", "maker")).values("taker") == [None]


@pytest.mark.parametrize("target", ["block", "text"])
def test_large_values(run_steps: RunSteps, engine: Any, target: str) -> None:
    """Megabytes pass through files of their own; buffers can be written to by who gets them, and stay as they were for
    the next."""
    size = 3_000_000
    consumer = "flows:change_block" if target == "block" else "zoo:length"
    expected = [size, "xxy"] if target == "block" else size
    ran = run_steps(
        gives("maker", f"flows:{target}", [size, 10, size], engine=engine),
        *(takes(consumer, "${results.maker.0}", "maker", name=name) for name in ("one", "other")),
        pool("each", consumer, ResultsSource("maker"), engine=engine, needs=("maker",), folder=HERE),
    )
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    if target == "block":
        assert [_plain(value) for value in ran.values("each")] == [[size, "xxy"], [10, "xxy"], [size, "xxy"]]
    for name in ("one", "other"):
        assert _plain(ran.values(name)[0]) == expected


def _plain(value: Any) -> Any:
    import base64

    return [value[0], base64.b64decode(value[1]["$bytes"]).decode()] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("made", "message"), [("zoo:unloadable", "not to be unpickled"), ("zoo:ends_who_loads_it", "3")]
)
def test_a_value_that_cannot_be_loaded(run_steps: RunSteps, engine: Any, made: str, message: str) -> None:
    """It fails those who take it, one by one, and nobody else: the parent never loads it."""
    ran = run_steps(
        gives("maker", made, 2, engine=engine),
        takes("flows:same", "${results.maker}", "maker"),
        pool("each", "flows:same", ResultsSource("maker"), engine=engine, needs=("maker",), folder=HERE),
    )
    assert ran.outcomes("maker") == ["returned"] * 2
    assert ran.outcomes("each") == ["raised"] * 2
    assert {result["exception.message"] for result in ran.results("taker") + ran.results("each")} == {message}


def test_a_path_that_leads_nowhere(run_steps: RunSteps) -> None:
    ran = run_steps(
        process("maker", "flows:record", 3, folder=HERE, keeps=True),
        takes("flows:same", "${results.maker.size}", "maker"),
    )
    assert ran.results("taker")[0]["exception.message"] == (
        "`${results.maker.size}` leads nowhere: it has no `size`: it is a mapping with name, square"
    )


def test_what_cannot_be_pickled_is_not_kept(run_steps: RunSteps, engine: Any) -> None:
    maker = gives("maker", "zoo:unpicklable", 2, engine=engine)
    ran = run_steps(maker, takes("flows:same", "${results.maker}", "maker"))
    assert ran.outcomes("maker") == ["unpicklable"] * 2
    assert ran.one("step.skipped")["step"] == "taker"


# -- as items


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered"])
def test_results_are_items(run_steps: RunSteps, engine: Any, call: Any) -> None:
    """Each result of one pool is an item of the next; a list that a process returned has its items."""
    ran = run_steps(
        gives("maker", "zoo:square", 1000, engine=engine, chunksize=10),
        pool("each", "flows:same", ResultsSource("maker"), call=call, engine=engine, needs=("maker",), folder=HERE),
        process("list", "flows:numbers", 20, folder=HERE, keeps=True),
        pool("listed", "zoo:square", ResultsSource("list"), call=call, engine=engine, needs=("list",), folder=HERE),
    )
    assert ran.values("each") == [number * number for number in range(1000)]
    assert ran.values("listed") == [number * number for number in range(20)]


def test_a_single_result_that_is_no_list(run_steps: RunSteps, engine: Any) -> None:
    ran = run_steps(
        process("maker", "zoo:square", 3, folder=HERE, keeps=True),
        pool("each", "flows:same", ResultsSource("maker"), engine=engine, needs=("maker",), folder=HERE),
    )
    assert {e["step"]: e.get("error") for e in ran.named("step.finished")} == {
        "maker": None,
        "each": "its items could not be read: what `maker` returned is not a list",
    }


def test_the_log_tells_what_the_item_was(run_steps: RunSteps, engine: Any) -> None:
    """Of a task that failed, the value that it was given, not where that came from."""
    ran = run_steps(
        gives("maker", "zoo:square", [3], engine=engine),
        pool("each", "flows:fails_if_odd", ResultsSource("maker"), engine=engine, needs=("maker",), folder=HERE),
    )
    assert ran.results("each")[0]["args"] == [9]


# -- deaths


@pytest.mark.parametrize("size", [0, 200_000])
def test_the_last_attempt_counts(run_steps: RunSteps, tmp_path: Path, size: int) -> None:
    """A worker that dies is made up for by the next, with that one's values."""
    folder = tmp_path / "marks"
    folder.mkdir()
    items = [(str(folder), size, number) for number in range(6)]
    retries = Retries(count=2)
    maker = limited(gives("maker", "flows:fails_first", items, call="starmap"), retries=retries)
    one = process("one", "flows:fails_first", str(folder), size, 7, folder=HERE, keeps=True)
    ran = run_steps(
        maker,
        limited(one, retries=retries),
        pool("each", "zoo:length", ResultsSource("maker"), needs=("maker",), folder=HERE),
        takes("zoo:length", "${results.one}", "one"),
    )
    assert ran.values("each") == [len("second 0") + size] * 6
    assert ran.values("taker") == [len("second 0") + size]


@pytest.mark.parametrize("how", ["kill", "_exit 7", "half a frame", "grandchild", "close frames", "close all"])
@pytest.mark.parametrize("log_tasks", ["all", "failures"])
def test_a_death_takes_no_value_along(run_steps: RunSteps, how: str, log_tasks: Any) -> None:
    """What has been told as returned has its value, whatever became of its worker; the rest is None."""
    items = ["ok"] * 50 + [how] + ["ok"] * 50
    maker = limited(gives("maker", "zoo:end", items, processes=2), continue_on_error=True)
    ran = run_steps(maker, takes("flows:same", "${results.maker}", "maker"), log_tasks=log_tasks)
    values = ran.values("taker")[0]
    finished = next(event for event in ran.named("step.finished") if event["step"] == "maker")
    assert len(values) == 101
    assert len([value for value in values if value is not None]) == finished["returned"] >= 100
    if log_tasks == "all":
        outcomes = ["returned" if value else "lost" for value in values]
        assert ran.outcomes("maker") == outcomes


def test_a_copy_of_the_child_keeps_nothing(run_steps: RunSteps, engine: Any) -> None:
    """Code that forks and lets both return: what the copy returns is nobody's."""
    ran = run_steps(
        gives("maker", "flows:forks", [LARGE, 5], engine=engine),
        process("one", "flows:forks", LARGE, folder=HERE, keeps=True),
        takes("flows:same", "${results.maker.0.0}", "maker"),
        takes("flows:same", "${results.one.0}", "one", name="other"),
    )
    assert ran.values("taker") == ran.values("other") == ["original"]


# -- files


def test_files_are_the_owners_and_go_with_the_run(tmp_path: Path, warm: None) -> None:
    """A run with a folder keeps its results there; without one they are gone at its end."""
    from mprun.log.writer import open_log
    from mprun.running.run import run_plan

    plan = zoo_plan(gives("maker", "flows:text", [5, 100_000]), start_method="fork")
    run_plan(plan, "by-hand", open_log(str(tmp_path / "events.jsonl")), [], print, folder=str(tmp_path))
    found = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.glob("results/**/*")}
    files = ("results/maker.pickles", "results/maker.places", "results/maker/1-1.pickle")
    assert found == {"results/maker": 0o700, **dict.fromkeys(files, 0o600)}
    (tmp_path / "events.jsonl").unlink()
    run(plan, tmp_path)
    assert list(Path(claim_folder()).glob("mprun-results-*")) == []


def test_a_full_disk_fails_the_step(run_steps: RunSteps, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be kept is told as the step's error, and what needs it is skipped."""
    from mprun.engines.results import store

    def refuse(results: store.StepResults, data: bytes) -> bool:
        results.error = "No space left on device"
        return False

    monkeypatch.setattr(store.StepResults, "_write", refuse)
    ran = run_steps(gives("maker", "zoo:square", 50), takes("flows:same", "${results.maker}", "maker"))
    assert ran.one("step.finished")["error"] == "its results could not be kept: No space left on device"
    assert ran.one("step.skipped")["step"] == "taker"
