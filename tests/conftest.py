"""Running the real command in a folder of the test's own, and seeing to it that nothing is left behind."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from log_checks import Event, check_log

# In the environment of everything that the tests start: what has it at the end of the session was left behind.
_MARK = f"MPRUN_TEST_SESSION={os.getpid()}"

# What this environment holds must not change how mprun behaves in tests.
_UNSET = ("MPRUN_RUNS_DIR", "MPRUN_IMPORT_TIMEOUT", "NO_COLOR", "FORCE_COLOR", "PYTHONSAFEPATH", "PYTHONWARNINGS")


@dataclass(frozen=True)
class Ran:
    """How one call of the command ended; its output as text."""

    code: int
    stdout: str
    stderr: str


class CommandLine:
    """The `mprun` command in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        """Write a file, its text dedented, into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def __call__(self, *arguments: str, cwd: str = ".", env: Mapping[str, str] | None = None) -> Ran:
        """Run `mprun ARGUMENTS`; every log that it wrote into .mprun is checked."""
        told = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder / cwd,
            env=environment(env),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        self.logs()
        return Ran(told.returncode, told.stdout, told.stderr)

    def shell(self, script: str) -> Ran:
        """Run `script` in bash, where `$MPRUN` is the command."""
        told = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=environment({"MPRUN": " ".join(COMMAND)}),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        return Ran(told.returncode, told.stdout, told.stderr)

    def logs(self) -> list[list[Event]]:
        """The events of each run so far, oldest first; each log is checked whole."""
        return [check_log(path) for path in sorted(self.folder.glob("**/runs/*/events.jsonl"))]

    def log(self) -> list[Event]:
        """The events of the last run."""
        return self.logs()[-1]


COMMAND = (sys.executable, "-P", "-m", "mprun")


BY_CHANCE = {"test_random_workflows", "test_fuzz_load"}
# These, too, show by whole commands what is the same in each Python.
COMMANDS = {"test_cli_records", "test_docs", "test_readme", "test_resuming_page", "test_script_flows"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--brief",
        action="store_true",
        help="what depends on the version of Python: with one start method, the workflows, nothing at random",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("brief"):
        left_out = [item for item in items if _is_long(item)]
        config.hook.pytest_deselected(items=left_out)
        kept = set(items) - set(left_out)
        items[:] = [item for item in items if item in kept]


def _is_long(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    module, parameters = item.path.stem, item.callspec.params if hasattr(item, "callspec") else {}
    if module in BY_CHANCE | COMMANDS or ("mprun" in item.fixturenames and module != "test_workflows"):
        return True
    return parameters.get("start_method", "forkserver") != "forkserver"


def same_each_time(value: object) -> str:
    """The name of a parameter that is any object: its repr without the address, by which tests can't be named."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for what a test starts."""
    mark, _, session = _MARK.partition("=")
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    return {**kept, mark: session, **(more or {})}


@pytest.fixture
def mprun(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
    deadline = time.monotonic() + 10
    while left_behind() and time.monotonic() < deadline:  # a fork server ends a moment after its parent
        time.sleep(0.05)
    assert left_behind() == []


def left_behind() -> list[str]:
    """The command lines of living processes that calls of the command have started."""
    return [command_line for folder in Path("/proc").glob("[0-9]*") if (command_line := _marked(folder))]


def _marked(process: Path) -> str:
    try:
        if _MARK.encode() not in (process / "environ").read_bytes().split(b"\0"):
            return ""
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it has ended meanwhile, or belongs to somebody else
        return ""
