"""Whatever is in a workflow file, loading it ends with a workflow or with diagnostics that can be shown."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from mprun.errors.diagnostics import render_all
from mprun.loading.load import load

GOOD = b"""\
# a comment
name: fuzz \xc3\xa9
start_method: spawn
x-common: &common {target: "jobs:a", args: [1, 2.5, "three", ~]}
env: {A: text, B: 5}
grace_period: 1m30s
processes:
  first: {<<: *common, kwargs: {word: "!", deep: [[1], {a: b}]}}
  second:
    target: jobs:b
    needs: [first]
    daemon: false
pools:
  third:
    target: jobs:c
    processes: cpus - 1
    imap_unordered: {range: [1, 10, 2]}
    chunksize: 4
    needs: second
  fourth:
    target: 'jobs:d'
    apply:
      args:
        - >-
          folded
          text
"""

PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b": ",
    b"- ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!str ",
    b"\t",
    b"\n",
    b"'",
    b'"',
    b"${x}",
]
PIECES += [
    b"\xff",
    b"\x00",
    b"\xed\xa0\x80",
    b"9" * 2000,
    b"? ",
    b"| ",
    b"---\n",
    b"%YAML 1.1\n",
    b"null",
    b"~",
    b"1e999",
    b"#",
]

Change = Callable[[random.Random, bytes], bytes]


def _delete(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randint(1, 8) :]


def _double(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start : start + chance.randint(1, 40)] + data[start:]


def _replace(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + chance.choice(PIECES) + data[start + chance.randint(0, 3) :]


def _swap_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


CHANGES: list[Change] = [_delete, _double, _replace, _swap_lines]


def test_the_unchanged_text_is_good(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_bytes(GOOD)
    assert load(str(tmp_path / "w.yaml")).diagnostics == ()


@pytest.mark.parametrize("seed", range(8))
def test_changed_texts(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    file = tmp_path / "w.yaml"
    refused = 0
    for _ in range(400):
        data = GOOD
        for _ in range(chance.randint(1, 3)):
            data = chance.choice(CHANGES)(chance, data) or GOOD
        file.write_bytes(data)
        loaded = load(str(file))
        assert loaded.diagnostics or loaded.workflow, data
        render_all(loaded.diagnostics).encode("utf-8")
        refused += bool(loaded.diagnostics)
    assert 100 < refused < 400
