"""What is wrong with a workflow file by itself: of each file of tests/mistakes all of it, as `mistake_tables` has it.

Their targets don't exist, and nobody looks: `tests/engine/test_target_mistakes.py` has what is wrong with those.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from mistake_tables import HERE, WHOLE, check_found, names

from mprun.cli.main import run_command_line


@pytest.mark.parametrize("name", names("mistakes"))
def test_what_is_found(name: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "mistakes")
    check_found("mistakes", name, pytestconfig, check_targets=False)


@pytest.mark.parametrize("folder", WHOLE)
def test_each_answer_has_its_file(folder: str) -> None:
    answered = {path.stem for path in (HERE / folder).glob("*.txt")}
    assert answered == set(names(folder))
    assert answered >= WHOLE[folder]


def answer(file: str) -> str:
    """What the command prints about `file`, relative to the current folder."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            assert run_command_line(["validate", "--no-import", file]) == 2
    finally:
        signal.signal(signal.SIGINT, handler)
    return printed.getvalue()


def _sparse(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)


def _alias_bomb() -> bytes:
    lines = ["x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for level in range(1, 12):
        lines.append(f"x-{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(lines).encode()


GENERATED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: None, "error[file-not-found]: there is no such file\n  --> w.yaml"),
    "folder": (lambda file: file.mkdir(), "error[not-a-file]: this is a folder, not a workflow file"),
    "pipe": (lambda file: os.mkfifo(file), "error[not-a-file]: this is a pipe or a device, not a workflow file"),
    "not UTF-8": (
        lambda file: file.write_bytes(b"name: a\nother: \xff\n"),
        "error[not-utf8]: the file is not UTF-8 text: byte 15 (line 2) is 0xff",
    ),
    "UTF-16": (lambda file: file.write_text("name: a", encoding="utf-16"), "it looks like UTF-16; save it as UTF-8"),
    "100 MB": (_sparse, "error[too-large]: a workflow file has at most 1,048,576 bytes"),
    "control character": (
        lambda file: file.write_bytes(b"name: a\nother: a\x1b[31m\n"),
        "2 | other: a\\x1b[31m\n  |         ^^^^ inside double quotes",
    ),
    "zeros": (lambda file: file.write_bytes(b"\0" * 99), "the control character U+0000"),
    "brackets": (lambda file: file.write_text("[" * 200_000), "error[too-deep]"),
    "nested keys": (lambda file: file.write_text("\n".join("  " * n + "k:" for n in range(600))), "error[too-deep]"),
    "digits": (lambda file: file.write_text("x-n: " + "9" * 5_000), "error[big-number]"),
    "hex digits": (lambda file: file.write_text("x-n: 0x" + "f" * 5_000), "error[big-number]"),
    "alias bomb": (lambda file: file.write_bytes(_alias_bomb()), "error[alias-bomb]"),
    "only a byte order mark": (lambda file: file.write_bytes(b"\xef\xbb\xbf"), "the workflow file is empty"),
    "a thousand mistakes": (
        lambda file: file.write_text("\n".join(f"wrong{n}: 1" for n in range(1000))),
        "… and 901 more, which are not shown\n\n1,001 mistakes in w.yaml: nothing was started\n",
    ),
    "a chain of needs that closes": (
        lambda file: file.write_text(
            "processes:\n" + "".join(f"  s{n}: {{target: 'a:b', needs: s{(n + 1) % 2000}}}\n" for n in range(2000))
        ),
        "s0 → s1 → s2 → s3 → s4 → s5 → … → s1998 → s1999 → s0",
    ),
}


@pytest.mark.parametrize("what", GENERATED)
@pytest.mark.timeout(20)
def test_the_answer_to_a_hostile_file(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, expected = GENERATED[what]
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "w.yaml")
    assert expected in answer("w.yaml")
