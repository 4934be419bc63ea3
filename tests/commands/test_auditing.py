"""docs/auditing.md is true: what it says to do by hand is done, and finds what `mprun verify` finds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from logs_by_hand import small_run, write_run

from mprun.log.head import HeadFile
from mprun.log.verifying.signing import signer

PAGE = (Path(__file__).parents[2] / "docs/auditing.md").read_text(encoding="utf-8")
SEALS, LAST_SEAL, SIGNATURE, KEYS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", small_run()).parent


def shell(script: str, folder: Path) -> str:
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_each_seal_by_hand(folder: Path) -> None:
    log = folder / "events.jsonl"
    seals = log.read_bytes().count(b'"event":"log.sealed"')
    told = shell(SEALS, folder)
    assert (told.count("  -\n"), told.count("CHANGED")) == (seals, 0)
    log.write_bytes(log.read_bytes().replace(b"no luck", b"no duck"))
    told = shell(SEALS, folder)
    assert (told.count("  -\n"), told.count("CHANGED")) == (seals - 1, 1)


def test_the_last_seal_by_hand(folder: Path) -> None:
    by_hand, of_head = shell(LAST_SEAL, folder).splitlines()
    assert by_hand.split()[0] == of_head.split('"')[3]


def test_a_signature_by_hand(folder: Path) -> None:
    shell(KEYS, folder)
    seal = shell(LAST_SEAL, folder).split()[0]
    log = folder / "events.jsonl"
    sign = signer(str(folder / "key.pem"))
    HeadFile(str(folder / "events.head"), sign).replace(size=log.stat().st_size, lines=23, seal=seal, finished=True)
    assert "Signature Verified Successfully" in shell(SIGNATURE, folder)


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (Path(__file__).parents[2] / "docs" / link).exists()] == []
