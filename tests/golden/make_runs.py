"""Makes the run folders of the present version, from which later versions show that they still read them.

    python tests/golden/make_runs.py

runs the workflows of `flows/` and writes `<log format>/mprun-<version>/` beside this file: the workflows as they ran,
`expected.yaml` with what their readers must say, and `records/` with the runs. Run it when the version of the log's
format rises, or before a release that writes other files into a run's folder. It refuses to replace a folder that
exists: where an old run no longer reads, the reader is wrong. To try it, give another folder as the only argument.

The answers are in `flows/expected.yaml`, and are written by hand: add there what a new workflow or event needs.

A run folder holds absolute paths. So that it can be copied anywhere, the workflows are started by their path below
`/proc/self/cwd`, which is the folder of whoever reads it; and the user, the host and the platform are made up.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mprun
from mprun.log.words import LOG_FORMAT

HERE = Path(__file__).parent
NAME = f"{LOG_FORMAT}/mprun-{mprun.__version__}"
CWD = "/proc/self/cwd"
RECORDS = "records"  # the folder of runs: `.mprun` would be ignored by git
TOKEN = "open-sesame-0001"  # what the secret parameter is given
PATIENCE = 30.0  # seconds that a run may take to come to where it is wanted

# `mprun` itself; only what it would say of this machine is made up.
MPRUN = """
import platform, sys
platform.node = lambda: "example"
platform.release = lambda: "6.1.0"
sys.argv[0] = "mprun"
from mprun.__main__ import main
main()
"""

Event = dict[str, Any]


def make(folder: Path) -> None:
    """Run each workflow in `folder`, which holds them already, and leave the record there."""
    _finish(folder, 0, "run", "-q", f"{CWD}/succeeded.yaml", "--sign-key", _new_key(folder))
    _finish(folder, 1, "run", "-q", f"{CWD}/failed.yaml")
    _stop(folder)
    killed = _kill(folder)
    _finish(folder, 0, "resume", killed, "-q")
    _finish(folder, 0, "run", "-q", f"{CWD}/counted.yaml")
    _finish(folder, 0, "run", "-q", f"{CWD}/frozen.yaml")


def _stop(folder: Path) -> None:
    """A run that gets SIGTERM when the task 4 of `numbers` is at work."""
    with _held(folder, 4):
        run = _start(folder, "run", "-q", f"{CWD}/stopped.yaml")
        _until(lambda: _waits(_log(folder, "stopped"), 4))
        run.send_signal(signal.SIGTERM)
        _ended(run, 143)


def _kill(folder: Path) -> str:
    """A run that gets SIGKILL when the task 6 of `numbers` is at work and lines were written after a seal; its id."""
    with _held(folder, 6):
        with _held(folder, 4):
            run = _start(folder, "run", "-q", f"{CWD}/killed.yaml")
            _until(lambda: any(event["event"] == "log.sealed" for event in _log(folder, "killed")))
        _until(lambda: _returned(log := _log(folder, "killed"), "halves", 5) and _waits(log, 6))
        run.kill()
        _ended(run, -signal.SIGKILL)
    return str(_log(folder, "killed")[0]["run_id"])


@contextmanager
def _held(folder: Path, task: int) -> Iterator[None]:
    hold = folder / f"hold-{task}"
    hold.touch()
    try:
        yield
    finally:
        hold.unlink()


def _waits(log: list[Event], task: int) -> bool:
    """Whether that task of `numbers` is at work, and none before it; another step waits with the same words."""
    said = {event["step"] for event in log if event["event"] == "output" and event["text"] == f"waiting at {task}"}
    return "numbers" in said and _returned(log, "numbers", task - 1)


def _returned(log: list[Event], step: str, task: int) -> bool:
    return any((event["event"], event.get("step"), event.get("task")) == ("task.result", step, task) for event in log)


def _log(folder: Path, name: str) -> list[Event]:
    """The whole lines so far of the run of the workflow `name`; none before it has begun."""
    logs = (log.read_bytes().split(b"\n")[:-1] for log in folder.glob(f"{RECORDS}/runs/*/events.jsonl"))
    return next((log for lines in logs if (log := [*map(json.loads, lines)]) and log[0]["name"] == name), [])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("a run has not come to where it was wanted")
        time.sleep(0.005)


def _start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LOGNAME": "somebody", "MPRUN_PARAM_TOKEN": TOKEN}
    environment |= {"PYTHONHOME": f"{CWD}/python", "PYTHONPATH": f"{CWD}/packages:{CWD}/mprun"}
    command = [sys.executable, "-P", "-c", MPRUN, *arguments, "--runs-dir", RECORDS]
    return subprocess.Popen(command, cwd=folder, env=environment)


def _link_python(folder: Path) -> None:
    """Python, the packages and mprun below `folder`: stacks in the log tell the paths of their files."""
    (folder / "python").symlink_to(sys.base_prefix)
    (folder / "packages").symlink_to(sysconfig.get_path("purelib"))
    (folder / "mprun").symlink_to(Path(mprun.__file__).parents[1])


def _finish(folder: Path, code: int, *arguments: str) -> None:
    _ended(_start(folder, *arguments), code)


def _ended(run: subprocess.Popen[bytes], code: int) -> None:
    if run.wait(2 * PATIENCE) != code:
        raise RuntimeError(f"{run.args!r} has ended with {run.returncode}, and was to end with {code}")


def _new_key(folder: Path) -> str:
    """A new key to sign with, which only the folder of this one making holds; its public half is kept."""
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    public = key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pub").write_bytes(public)
    return "key.pem"


def _refuse_traces(folder: Path) -> None:
    """Raises RuntimeError where a file tells where, or as whom, it was made."""
    traces = {str(folder), str(Path.home()), str(HERE), sys.prefix, os.uname().nodename, os.uname().release, TOKEN}
    for file in filter(Path.is_file, folder.rglob("*")):
        found = [trace for trace in traces if len(trace) > 2 and trace.encode() in file.read_bytes()]
        if found:
            raise RuntimeError(f"{file.relative_to(folder)} holds {found}")


def main(target: Path) -> None:
    """Write the folder `target`, whole or not at all."""
    if target.exists():
        raise SystemExit(f"{target} exists: what an old version wrote is not written again")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "runs")
        shutil.copytree(HERE / "flows", folder, ignore=shutil.ignore_patterns("__pycache__"))
        sources = {path.name for path in folder.iterdir()}
        _link_python(folder)
        make(folder)
        for path in set(folder.iterdir()):
            if path.name not in {*sources, RECORDS, "key.pub"}:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (folder / RECORDS / ".gitignore").unlink()  # it would keep the runs out of the repository
        _refuse_traces(folder)
        shutil.copytree(folder, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else HERE / NAME)
