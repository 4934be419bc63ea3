"""Each test of an engine, for each start method, and for each engine where it has a pool."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, START_METHODS, Ran, run, zoo_plan
from mprun.engines.table import POOL_ENGINES
from mprun.log.writer import open_log
from mprun.plan.plan import StartMethod
from mprun.running.run import run_plan

# The plans of these tests lie in the checkout: each run would ask git for its state, and take longer than many a test.
os.environ["GIT_CEILING_DIRECTORIES"] = os.path.dirname(HERE)

RunPool = Callable[..., Ran]
RunProcess = Callable[..., Ran]


@pytest.fixture(params=START_METHODS)
def start_method(request: pytest.FixtureRequest) -> StartMethod:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=POOL_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def run_process(start_method: StartMethod, tmp_path: Path, warm: None) -> RunProcess:
    """Runs one process step called `zoo`."""

    def run_it(target: str, *args: Any, env: dict[str, str] | None = None, **kwargs: Any) -> Ran:
        step = process("zoo", f"zoo:{target}", *args, folder=HERE, **kwargs)
        return run(zoo_plan(step, start_method=start_method, env=env), tmp_path)

    return run_it


@pytest.fixture
def run_pool(start_method: StartMethod, engine: str, tmp_path: Path, warm: None) -> RunPool:
    """Runs one pool step called `zoo`; options as `plan_builders.pool` has them."""

    def run_it(target: str, source: Any = 0, **options: Any) -> Ran:
        step = pool("zoo", f"zoo:{target}", source, engine=engine, folder=HERE, **options)
        return run(zoo_plan(step, start_method=start_method), tmp_path)

    return run_it


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start what the start methods keep for good (fork server, resource tracker) before descriptors are counted."""
    for method in START_METHODS:
        path = tmp_path_factory.mktemp("warm") / "events.jsonl"
        plan = zoo_plan(process("warm", "zoo:square", 1, folder=HERE), start_method=method)
        run_plan(plan, "warm", open_log(str(path)), [], print)


# What these show happens in code that is the same for each start method; `spawn` takes by far the longest to start.
# That such children start, are given what they need and end, others show beside them in each module.
WITHOUT_SPAWN = {
    "test_every_item_has_its_result",
    "test_no_items",
    "test_many_quick_tasks",
    "test_each_task_in_a_worker_of_its_own",
    "test_sixty_at_once",
    "test_values_that_defeat_a_description",
    "test_odd_values",
    "test_odd_exceptions",
    "test_an_exception_is_told_with_the_users_frames",
    "test_endless_recursion",
    "test_changed_surroundings",
    "test_output",
    "test_output_of_a_task_is_its_own",
    "test_a_line_of_a_megabyte",
    "test_binary_output",
    "test_output_from_threads",
    "test_items_that_cannot_be_read",
    "test_huge_ranges_stream",
    "test_a_stray_grandchild_that_floods_the_output",
    "test_a_wait_for_what_cannot_come_ends",
    "test_a_wait_that_will_end_is_left_alone",
    "test_workers_without_a_task_are_no_help",
    "test_workers_that_will_have_a_task_may_help",
    "test_a_death_that_others_wait_for",
    "test_a_stream_under_max_parallel",
    "test_a_death_takes_no_value_along",
    "test_failed_ones_are_none_in_their_place",
    "test_a_generator_that_fails",
    "test_nothing_is_gathered_twice_or_lost",
    "test_one_that_does_not_end",
    "test_one_that_fails",
    "test_one_that_holds_up_its_successor",
    "test_a_whole_list_is_in_the_order_of_the_items",
    "test_results_in_the_order_of_the_items",
    "test_the_order_of_a_stream",
    "test_three_pools_in_a_row",
    "test_what_a_pool_returns",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if "[spawn" in item.name and item.name.split("[")[0] in WITHOUT_SPAWN]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
