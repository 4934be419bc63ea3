"""The `mprun` command in a folder of the test's own: in this process, or in one of its own where the start matters.

To start Python and to import takes most of the time of a short command. So `mprun(…)` calls `run_command_line`, which
is all that the command does, in this process, and puts back whatever of the process it has changed. What a process
alone can show goes through `mprun.start(…)` and `mprun.shell(…)`: exit codes as the system sees them, signals, pipes,
terminals, closed streams, what is imported.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mprun.cli.main import run_command_line

if TYPE_CHECKING:
    from log_checks import Event

COMMAND = (sys.executable, "-P", "-m", "mprun")

# In the environment of everything that the tests start: what has it at the end of the session was left behind.
MARK = f"MPRUN_TEST_SESSION={os.getpid()}"

# What this environment holds must not change how mprun behaves in tests.
_UNSET = ("MPRUN_RUNS_DIR", "MPRUN_IMPORT_TIMEOUT", "NO_COLOR", "FORCE_COLOR", "PYTHONSAFEPATH", "PYTHONWARNINGS")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGTSTP, signal.SIGPIPE)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for what a test starts."""
    mark, _, session = MARK.partition("=")
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    return {**kept, mark: session, **(more or {})}


@dataclass(frozen=True)
class Ran:
    """How one call of the command ended; its output as text."""

    code: int
    stdout: str
    stderr: str


@dataclass
class CommandLine:
    """The `mprun` command in a folder of its own."""

    folder: Path
    _checked: dict[tuple[Path, int, int], list[Event]] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        """Write a file, its text dedented, into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def __call__(self, *arguments: str, cwd: str = ".", env: Mapping[str, str] | None = None) -> Ran:
        """Carry out `mprun ARGUMENTS` in this process; every log that it wrote into .mprun is checked."""
        ran = self.unchecked(*arguments, cwd=cwd, env=env)
        self.logs()
        return ran

    def unchecked(self, *arguments: str, cwd: str = ".", env: Mapping[str, str] | None = None) -> Ran:
        """As a call, where the logs are damaged on purpose."""
        with process_put_back(self.folder), _captured() as streams:
            os.chdir(self.folder / cwd)
            wanted = environment(env)
            os.environ.clear()
            os.environ.update(wanted)
            sys.argv = ["mprun", *arguments]
            code = run_command_line(arguments)
        return Ran(int(code), *(stream.getvalue() for stream in streams))

    def start(self, *arguments: str, cwd: str = ".", env: Mapping[str, str] | None = None) -> Ran:
        """As a call, in a process of its own."""
        ran = self._started([*COMMAND, *arguments], cwd, environment(env))
        self.logs()
        return ran

    def shell(self, script: str) -> Ran:
        """Run `script` in bash, where `$MPRUN` is the command."""
        return self._started(["bash", "-c", script], ".", environment({"MPRUN": " ".join(COMMAND)}))

    def _started(self, words: list[str], cwd: str, env: Mapping[str, str]) -> Ran:
        ended = subprocess.run(words, cwd=self.folder / cwd, env=env, capture_output=True, encoding="utf-8", timeout=60)
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def logs(self) -> list[list[Event]]:
        """The events of each run so far, oldest first; each log is checked whole."""
        return [self._check(path) for path in sorted(self.folder.glob("**/runs/*/events.jsonl"))]

    def log(self) -> list[Event]:
        """The events of the last run."""
        return self.logs()[-1]

    def _check(self, path: Path) -> list[Event]:
        """As `check_log`, of a log that hasn't changed since only once."""
        state = path.stat()
        key = (path, state.st_size, state.st_mtime_ns)
        if key not in self._checked:
            from log_checks import check_log  # which takes a second: whoever runs a test of a unit needn't wait for it

            self._checked[key] = check_log(path)
        return self._checked[key]


class _Captured(io.TextIOWrapper):
    """A standard stream that writes to its descriptor, which is a file meanwhile; `getvalue` is what was written."""

    def __init__(self, fd: int, errors: str) -> None:
        super().__init__(io.FileIO(fd, "w", closefd=False), encoding="utf-8", errors=errors, write_through=True)
        self.text = ""

    def getvalue(self) -> str:
        return self.text


@contextlib.contextmanager
def _captured() -> Iterator[tuple[_Captured, _Captured]]:
    """Descriptors 1 and 2 are files, as are what Python writes to; what was written is there afterwards."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = sys.stdout, sys.stderr, os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        streams = _Captured(1, "strict"), _Captured(2, "backslashreplace")
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdout, sys.stderr = streams
            yield streams
        finally:
            for stream in streams:
                stream.flush()
            sys.stdout, sys.stderr = before[:2]
            for fd, saved in enumerate(before[2:], start=1):
                os.dup2(saved, fd)
                os.close(saved)
            for stream, file in zip(streams, (out, err), strict=True):
                stream.detach().close()
                file.seek(0)
                stream.text = file.read().decode("utf-8")


@contextlib.contextmanager
def process_put_back(folder: Path) -> Iterator[None]:
    """What a command changes of its process, which it takes along when it ends, is as before.

    That is the current folder, the environment, the handlers of signals, the garbage collector, and with `--inline` the
    search path and the modules of the user, which lie below `folder`.
    """
    where, variables, argv, path = os.getcwd(), dict(os.environ), sys.argv, list(sys.path)
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    modules = set(sys.modules)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        gc.enable()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.argv, sys.path[:] = argv, path
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(where)
        for name in set(sys.modules) - modules:
            # Old runs name their files below /proc/self/cwd, so that they can be resumed in any folder.
            if (getattr(sys.modules[name], "__file__", None) or "").startswith((f"{folder}/", "/proc/self/cwd/")):
                del sys.modules[name]
