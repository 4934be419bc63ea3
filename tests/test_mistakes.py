"""Every mistake, word for word: tests/mistakes/NAME.yaml is answered with exactly NAME.txt.

`MPRUN_UPDATE=1 pytest tests/test_mistakes.py` rewrites the answers; read each of them before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mprun.diagnostics import render_all
from mprun.loading.load import load

FOLDER = Path(__file__).parent / "mistakes"


def answer(file: str) -> str:
    """What the user is told about `file`, relative to the current folder."""
    diagnostics = load(file).diagnostics
    return render_all(diagnostics) if diagnostics else ""


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_the_answer_to_a_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    given = answer(f"{name}.yaml")
    expected = FOLDER / f"{name}.txt"
    if os.environ.get("MPRUN_UPDATE"):
        expected.write_text(given, encoding="utf-8")
    assert given, "a file in tests/mistakes has a mistake"
    assert given == expected.read_text(encoding="utf-8")


def test_each_answer_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in FOLDER.glob("*.yaml")}


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
            "processes:\n" + "".join(f"  s{n}: {{target: 'a:b', needs: s{(n + 1) % 5000}}}\n" for n in range(5000))
        ),
        "s0 → s1 → s2 → s3 → s4 → s5 → … → s4998 → s4999 → s0",
    ),
}


@pytest.mark.parametrize("what", GENERATED)
@pytest.mark.timeout(20)
def test_the_answer_to_a_hostile_file(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, expected = GENERATED[what]
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "w.yaml")
    assert expected in answer("w.yaml")
