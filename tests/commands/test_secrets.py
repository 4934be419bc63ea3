"""A secret parameter reaches the targets, and nothing that is written: not the run's folder, not the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CommandLine

SECRET = 'tr0ub4dor "&3"'

JOBS = """
import os, sys

def works(token):
    assert token == os.environ["TOKEN"]
    print("printed", token)
    sys.stdout.write("a line that is longer than a line of the log may be: " + "x" * 8_180 + token + "y" * 9_000)
    os.write(2, b"by a descriptor " + token.encode())
    return {"token": token, token: 1}

def fails(token):
    raise ValueError(f"can't log in with {token}")

def item(number, token):
    print(number, token)
    if number == 1:
        raise ValueError(token)
    return f"{number} {token}"

def quiet(token):
    return len(token)

def given(lengths):
    return lengths
"""

WORKFLOW = """
params: {token: {secret: true}}
env: {TOKEN: "${params.token}"}
processes:
  works: {target: "jobs:works", args: ["${params.token}"]}
  fails: {target: "jobs:fails", kwargs: {token: "${params.token}"}}
  echo: {command: [sh, -c, 'echo "$TOKEN"; echo "$1" >&2', sh, "${params.token}"]}
  given: {target: "jobs:given", args: ["${results.quiet}"]}
pools:
  items: {target: "jobs:item", map: [0, 1, 2], processes: 2, kwargs: {token: "${params.token}"}}
  quiet: {target: "jobs:quiet", map: ["a"], kwargs: {}, processes: 1}
"""


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
def test_a_secret_is_nowhere(start_method: str, mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("w.yaml", f"start_method: {start_method}\n{WORKFLOW}")
    ran = mprun("w.yaml", "-p", f"token={SECRET}")
    assert (ran.code, ran.stdout.count("***") >= 4, ran.stderr.count("***") >= 3) == (1, True, True), ran.stderr
    outcomes = {
        (event["step"], event.get("task")): event["outcome"]
        for event in mprun.log()
        if event["event"] in ("process.result", "task.result")
    }
    assert outcomes == {
        ("works", None): "returned",
        ("fails", None): "raised",
        ("echo", None): "returned",
        ("given", None): "returned",
        ("items", 0): "returned",
        ("items", 1): "raised",
        ("items", 2): "returned",
        ("quiet", 0): "returned",
    }
    found = everything_in(mprun.folder / ".mprun") | {"stdout": ran.stdout.encode(), "stderr": ran.stderr.encode()}
    for part in (SECRET, SECRET[2:11], SECRET.replace('"', '\\"')):
        assert [name for name, data in found.items() if part.encode() in data] == []


def test_a_result_that_holds_one_is_not_kept(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write(
        "w.yaml",
        """
params: {token: {secret: true}}
pools: {items: {target: "jobs:item", map: [0, 2], processes: 1, kwargs: {token: "${params.token}"}}}
processes: {given: {target: "jobs:given", args: ["${results.items}"]}}
""",
    )
    ran = mprun("w.yaml", "-p", f"token={SECRET}")
    assert (ran.code, "mprun.SecretError" in ran.stderr, "given: skipped" in ran.stderr) == (1, True, True)
    assert [name for name, data in everything_in(mprun.folder).items() if SECRET.encode() in data] == []


def test_a_secret_is_shown_by_no_command(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("w.yaml", WORKFLOW)
    for command in (("plan",), ("plan", "--json"), ("validate",)):
        ran = mprun(command[0], "w.yaml", *command[1:], "-p", f"token={SECRET}")
        assert (ran.code, SECRET in ran.stdout + ran.stderr) == (0, False), ran.stderr


def test_a_part_of_a_secret_is_refused(mprun: CommandLine) -> None:
    """mprun masks whole secrets: the name of a secret path would be readable."""
    mprun.write(
        "w.yaml",
        'params: {key: {secret: true}}\nprocesses: {a: {command: [echo, "${params.key}", "${params.key.name}"]}}',
    )
    ran = mprun("w.yaml", "-p", "key=/keys/tr0ub4dor")
    assert ran.code == 2
    assert "`${params.key.name}` is a part of a secret" in ran.stderr
    assert "tr0ub4dor" not in ran.stderr + ran.stdout


def test_the_files_of_a_command_hold_it_and_the_log_does_not(mprun: CommandLine) -> None:
    """Whole files are the user's: a masked one would be another one than the program wrote."""
    mprun.write(
        "w.yaml",
        """
        params: {token: {secret: true}}
        processes:
          a: {command: [echo, "${params.token}"], stdout: out}
          b: {command: [sh, -c, 'echo "$0" >&2; exit 1', "${params.token}"], stderr: err}
        """,
    )
    ran = mprun("w.yaml", "-p", "token=tr0ub4dor")
    assert (ran.code, (mprun.folder / "out").read_text()) == (1, "tr0ub4dor\n")
    (failed,) = [event for event in mprun.log() if event.get("outcome") == "raised"]
    assert failed["exception.message"].endswith("***")
    assert "tr0ub4dor" not in ran.stderr
    assert not any(b"tr0ub4dor" in data for data in everything_in(mprun.folder / ".mprun").values())
