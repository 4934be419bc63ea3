"""The commands that look at runs, as a user meets them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CommandLine
from logs_by_hand import RUN_ID, small_run, write_run

OTHER_ID = "20260201-093000-000-11111111"


@pytest.fixture
def kept(mprun: CommandLine) -> CommandLine:
    """A folder with two runs that have ended."""
    for run_id in (RUN_ID, OTHER_ID):
        write_run(mprun.folder / ".mprun" / "runs" / run_id, small_run(run_id))
    return mprun


def log_of(kept: CommandLine, run_id: str = RUN_ID) -> Path:
    return kept.folder / ".mprun" / "runs" / run_id / "events.jsonl"


# -- which run


@pytest.mark.parametrize(
    "reference",
    [
        RUN_ID,
        "20260131",
        "latest",
        f".mprun/runs/{RUN_ID}",
        f".mprun/runs/{RUN_ID}/",
        f".mprun/runs/{RUN_ID}/events.jsonl",
    ],
)
def test_a_run_is_named_in_many_ways(kept: CommandLine, reference: str) -> None:
    ran = kept("verify", reference)
    expected = OTHER_ID if reference == "latest" else RUN_ID
    assert (ran.code, ran.stdout.split(":")[0]) == (0, expected)


NO_RUN = {
    "an unknown one": ("x", f"error: there is no run `x` in .mprun/runs; the latest are {RUN_ID}, {OTHER_ID}\n"),
    "a slip": (RUN_ID[:-1] + "1", f"error: there is no run `{RUN_ID[:-1]}1` in .mprun/runs: did you mean `{RUN_ID}`"),
    "two of them": ("2026", f"error: `2026` is the beginning of 2 runs: {RUN_ID}, {OTHER_ID}\n"),
    "nothing": ("", "error: there is no run ``"),
    "a folder that is no run's": (".mprun", "error: .mprun is no run's folder: there is no events.jsonl in it\n"),
    "a path to nothing": ("a/b.jsonl", "error: there is no log at a/b.jsonl\n"),
}


@pytest.mark.parametrize("command", ["verify"])
@pytest.mark.parametrize("what", NO_RUN)
def test_no_run(kept: CommandLine, what: str, command: str) -> None:
    reference, told = NO_RUN[what]
    ran = kept(command, reference)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(told)


@pytest.mark.parametrize("reference", ["latest", "x"])
def test_no_runs_at_all(mprun: CommandLine, reference: str) -> None:
    ran = mprun("verify", reference)
    assert (ran.code, ran.stdout) == (2, "")
    assert ".mprun/runs" in ran.stderr


# -- verify


def damage(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b'"result":4', b'"result":5'))


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-400])
    log.with_suffix(".head").unlink()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [(lambda log: None, 0, "VERIFIED"), (damage, 4, "TAMPERED"), (cut, 5, "INCOMPLETE")],
)
def test_the_last_word_and_the_code(kept: CommandLine, change: Callable[[Path], None], code: int, words: str) -> None:
    change(log_of(kept))
    ran = subprocess_of(kept, "verify", RUN_ID)
    assert (ran.returncode, ran.stdout.split()[-1], ran.stderr) == (code, words, "")
    assert subprocess_of(kept, "verify", OTHER_ID, RUN_ID).returncode == code
    (document,) = json.loads(subprocess_of(kept, "verify", RUN_ID, "--json").stdout)
    assert (document["run"], document["verdict"], bool(document["findings"])) == (RUN_ID, words, code != 0)


def subprocess_of(kept: CommandLine, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Without the check that the logs are whole."""
    from conftest import COMMAND, environment

    return subprocess.run([*COMMAND, *arguments], cwd=kept.folder, env=environment(), capture_output=True, text=True)


def test_what_was_changed_is_told_with_its_place(kept: CommandLine) -> None:
    damage(log_of(kept))
    ran = subprocess_of(kept, "verify", RUN_ID)
    assert re.match(rf"{RUN_ID}: lines \d+ to \d+ \(bytes [\d,]+ to [\d,]+\): not what was sealed\n", ran.stdout)


def test_a_run_that_was_signed(mprun: CommandLine) -> None:
    mprun.write("jobs.py", "def work(): pass")
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:work'}}")
    keys = "openssl genpkey -algorithm ed25519 -out a.pem && openssl pkey -in a.pem -pubout -out a.pub"
    mprun.shell(f"{keys} && {keys.replace('a.p', 'b.p')}")
    assert mprun("flow.yaml", "--sign-key", "a.pem").code == 0
    assert mprun("verify", "latest").code == 0
    assert mprun("verify", "latest", "--key", "a.pub").code == 0
    other = mprun("verify", "latest", "--key", "b.pub")
    assert (other.code, "the signature is not that of this log and this key" in other.stdout) == (4, True)
    mprun("flow.yaml")
    unsigned = mprun("verify", "latest", "--key", "a.pub")
    assert (unsigned.code, unsigned.stdout.split()[-1]) == (6, "UNSIGNED")


def test_a_signature_needs_a_file_beside_the_log(mprun: CommandLine) -> None:
    mprun.write("jobs.py", "def work(): pass")
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:work'}}")
    ran = mprun("flow.yaml", "--log", "-", "--sign-key", "a.pem")
    assert ran.code == 2
    assert ran.stderr == "error: `--sign-key` needs a log in a file: the signature stands in the file beside it\n"
    missing = mprun("flow.yaml", "--sign-key", "a.pem")
    assert (missing.code, missing.stderr) == (2, "error: the key a.pem can't be read: No such file or directory\n")
    assert not (mprun.folder / ".mprun").exists()
