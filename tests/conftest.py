"""Running the real command in a folder of the test's own, and seeing to it that nothing is left behind."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

import pytest
from command_line import COMMAND, MARK, CommandLine, environment

__all__ = ["COMMAND", "CommandLine", "environment"]

pytest.register_assert_rewrite("mistake_tables")

# Of tests/commands: what a version of Python may change. The others show by whole commands what is the same in each.
BRIEF_COMMANDS = {"test_api", "test_imports", "test_script", "test_script_runs", "test_workflows"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--brief",
        action="store_true",
        help="what depends on the version of Python: with one start method, the workflows, nothing at random",
    )
    parser.addoption(
        "--update-mistakes",
        action="store_true",
        help="write the .txt files of tests/mistakes and tests/mistakes_targets anew (see tests/mistake_tables.py)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("brief"):
        left_out = [item for item in items if _is_long(item)]
        config.hook.pytest_deselected(items=left_out)
        kept = set(items) - set(left_out)
        items[:] = [item for item in items if item in kept]


def _is_long(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    layer, module = item.path.parent.name, item.path.stem
    if layer == "chance" or (layer == "commands" and module not in BRIEF_COMMANDS):
        return True
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("start_method", "forkserver") != "forkserver"


def same_each_time(value: object) -> str:
    """The name of a parameter that is any object: its repr without the address, by which tests can't be named."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.fixture
def mprun(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
    _end_helpers()
    deadline = time.monotonic() + 10
    while left_behind() and time.monotonic() < deadline:  # a fork server ends a moment after its parent
        time.sleep(0.05)
    assert left_behind() == []


def _end_helpers() -> None:
    """End what commands leave for the next one in this process, and what would end with it."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def left_behind() -> list[str]:
    """The command lines of living processes that calls of the command have started."""
    return [command_line for folder in Path("/proc").glob("[0-9]*") if (command_line := _marked(folder))]


def _marked(process: Path) -> str:
    try:
        if MARK.encode() not in (process / "environ").read_bytes().split(b"\0"):
            return ""
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it has ended meanwhile, or belongs to somebody else
        return ""
