"""Arguments are converted in the child, in each engine and with each start method; one that can't be fails its task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from mprun.language.targets import parse_target
from mprun.plan.plan import Converts, Retries, StartMethod

ARGUMENTS: list[Any] = ["a/b", "2026-01-31", {"x": 1}]
CONVERTED = [{"$path": "a/b"}, {"$date": "2026-01-31"}, {"$fields": {"x": 1.0, "y": 0.0}, "type": "zoo.Point"}]


@pytest.fixture
def run_pool(start_method: StartMethod, engine: str, tmp_path: Path, warm: None) -> Any:
    def run_it(target: str, source: Any, converts: Converts = "strict", **options: Any) -> Ran:
        step = pool("zoo", f"zoo:{target}", source, engine=engine, folder=HERE, **options)  # type: ignore[arg-type]
        return run(zoo_plan(replace(step, converts=converts), start_method=start_method), tmp_path)

    return run_it


@pytest.fixture
def run_process(start_method: StartMethod, tmp_path: Path, warm: None) -> Any:
    def run_it(target: str, *args: Any, converts: Converts = "strict", **kwargs: Any) -> Ran:
        step = process("zoo", f"zoo:{target}", *args, folder=HERE, **kwargs)
        limits = replace(step.limits, retries=Retries(count=3))
        return run(zoo_plan(replace(step, converts=converts, limits=limits), start_method=start_method), tmp_path)

    return run_it


def test_a_process_gets_what_it_asks_for(run_process: Any) -> None:
    path, day, point = ARGUMENTS
    assert run_process("typed", path, day, point=point).values() == [CONVERTED]


def test_a_pool_gets_what_it_asks_for(run_pool: Any) -> None:
    assert run_pool("typed", [ARGUMENTS, ARGUMENTS], call="starmap").values() == [CONVERTED, CONVERTED]


def test_an_apply_gets_what_it_asks_for(run_pool: Any) -> None:
    path, day, point = ARGUMENTS
    assert run_pool("typed", call="apply", source=0, args=(path, day), kwargs={"point": point}).values() == [CONVERTED]


def test_text_from_outside(run_pool: Any) -> None:
    assert run_pool("half", ["5", "0.5"], "text").values() == [[2.5, "float"], [0.25, "float"]]


def test_an_initializer_gets_what_it_asks_for(run_pool: Any) -> None:
    """Its arguments are converted where the step converts."""
    initializer = parse_target("zoo:set_day", HERE)
    ran = run_pool("chosen_day", ["a"], initializer=initializer, initargs=("2026-01-31",))
    assert ran.values() == [{"$date": "2026-01-31"}]


def test_an_argument_that_cannot_be_converted_fails_its_task(run_pool: Any) -> None:
    """The others go on; what is told is the sentence, without a traceback of mprun's own, and what was given."""
    ran = run_pool("half", [1, "one", 2])
    assert ran.outcomes() == ["returned", "raised", "returned"]
    failed = ran.results()[1]
    told = "`half` takes `number` as a float, not the text `one`"
    assert (failed["exception.type"], failed["exception.message"]) == ("mprun.ConversionError", told)
    assert failed["exception.stacktrace"] == f"mprun.ConversionError: {told}\n"
    assert failed["args"] == ["one"]


def test_an_argument_that_cannot_be_converted_is_not_tried_again(run_process: Any) -> None:
    ran = run_process("half", "one")
    assert ran.outcomes() == ["raised"]
    assert ran.named("process.retried") == []


def test_a_process_that_converts_nothing_imports_nothing_for_it(run_process: Any, start_method: StartMethod) -> None:
    if start_method == "fork":
        pytest.skip("a fork has what its parent has")
    loaded = run_process("modules", "pydantic", "mprun.worker.conversion.calls", converts="").values()
    assert loaded == [[]]
