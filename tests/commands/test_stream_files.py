"""`stdout: FILE` and `stderr: FILE` of a command: written whole or not at all, and what stands for the result."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import CommandLine

from mprun.system import whole_file
from mprun.system.whole_file import WholeFile, is_special


def files(folder: Path) -> dict[str, str]:
    """The files below `folder`, hidden ones too, and what is in them."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_each_kind_of_step(mprun: CommandLine) -> None:
    """The result is the path; a file of an earlier run is replaced, and the folder is made."""
    mprun.write("in/a.txt", "a\n")
    mprun.write("in/b.txt", "b\n")
    mprun.write("out/a.up", "of an earlier run, and longer")
    mprun.write(
        "w.yaml",
        """
        pools:
          upper:
            command: [sh, -c, 'tr a-z A-Z < "$1"; echo "warning: $1" >&2', sh, "${item}"]
            map: {glob: "in/*.txt"}
            stdout: out/${item.stem}.up
            stderr: out/err/${item.stem}
            save: paths.json
        processes:
          cell: {command: [echo, "${matrix.x}"], matrix: {x: [1, 2]}, stdout: "out/cell-${matrix.x}"}
          one: {command: [echo, hello], stdout: out/one}
          count: {command: [wc, -c, "${results.one}"], working_dir: in}
        """,
    )
    ran = mprun("w.yaml")
    assert ran.code == 0, ran.stderr
    assert files(mprun.folder / "out") == {
        "a.up": "A\n",
        "b.up": "B\n",
        "cell-1": "1\n",
        "cell-2": "2\n",
        "err/a": "warning: in/a.txt\n",
        "err/b": "warning: in/b.txt\n",
        "one": "hello\n",
    }
    out = mprun.folder / "out"
    results = {(e["step"], e.get("task", 0)): e["result"] for e in mprun.log() if e["event"].endswith(".result")}
    assert results[("upper", 1)] == str(out / "b.up")
    assert results[("cell", 0)] == str(out / "cell-1")
    assert results[("count", 0)] == f"6 {out / 'one'}"
    assert "warning: in" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("script", "more", "outcome"),
    [
        ("echo half; echo why >&2; exit 3", "", "raised"),
        ("echo half; kill -9 $$", "", "raised"),
        ("echo half; exec sleep 60", "timeout: 0.3, ", "timed_out"),
        ("echo half; kill -9 $PPID; exec sleep 60", "", "lost"),
    ],
)
def test_what_fails_leaves_nothing(mprun: CommandLine, script: str, more: str, outcome: str) -> None:
    """Neither of its files, nor a part of one; the file of an earlier run stays as it was."""
    mprun.write("out/old", "old")
    mprun.write(
        "w.yaml", f"processes: {{a: {{command: [sh, -c, '{script}'], {more}stdout: out/old, stderr: out/err}}}}"
    )
    ran = mprun("w.yaml")
    assert ran.code == 1
    assert files(mprun.folder / "out") == {"old": "old"}
    (result,) = [event for event in mprun.log() if event["event"] == "process.result"]
    assert result["outcome"] == outcome
    if "why" in script:
        assert result["exception.message"].endswith("why")


def test_a_second_attempt_writes_the_whole_file(mprun: CommandLine) -> None:
    script = "test -e again && echo whole && exit 0; touch again; echo half; exit 1"
    mprun.write("w.yaml", f"processes: {{a: {{command: [sh, -c, '{script}'], retries: 1, stdout: out}}}}")
    assert mprun("w.yaml").code == 0
    assert (mprun.folder / "out").read_text() == "whole\n"


def test_output_that_is_not_text_is_not_printed(mprun: CommandLine) -> None:
    mprun.write("w.yaml", "processes: {a: {command: [printf, 'a\\377b\\nc\\n']}, b: {command: [printf, 'x\\000y\\n']}}")
    ran = mprun("w.yaml")
    assert (
        ran.stdout.splitlines() == ["(its output is not text, and isn't shown: `stdout: FILE` writes it to a file)"] * 2
    )
    assert ran.code == 0


def refuse_nameless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = os.open

    def refusing(path: str, flags: int, *rest: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError("no such files here")
        return really_open(path, flags, *rest)

    monkeypatch.setattr(whole_file.os, "open", refusing)


@pytest.mark.parametrize("nameless", [True, False])
def test_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool) -> None:
    """Also where the file system has no files without a name."""
    if not nameless:
        refuse_nameless_files(monkeypatch)
    path = tmp_path / "new" / "file"
    with WholeFile(str(path)) as file:
        os.write(file.fd, b"one")
        assert not path.exists()
        file.publish()
        assert files(tmp_path) == {"new/file": "one"}
    with WholeFile(str(path)) as file:
        os.write(file.fd, b"two")
    assert files(tmp_path) == {"new/file": "one"}
    with WholeFile(str(path)) as file:
        os.write(file.fd, b"three")
        file.publish()
    assert files(tmp_path) == {"new/file": "three"}
    umask = int(subprocess.run(["sh", "-c", "umask"], capture_output=True, text=True, check=True).stdout, 8)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_where_names_start(mprun: CommandLine) -> None:
    """From the workflow's folder; those that begin with a reference, as items do, where the program runs."""
    mprun.write("sub/a.txt", "a")
    mprun.write(
        "w.yaml",
        """
        pools:
          text: {command: [cat, "${item}"], map: {glob: sub/*.txt}, working_dir: sub, stdout: "copy-${item}"}
          item: {command: [cat, "${item}"], map: {glob: sub/*.txt}, working_dir: sub, stdout: "${item.stem}.copy"}
        """,
    )
    ran = mprun("w.yaml")
    assert ran.code == 0, ran.stderr
    assert files(mprun.folder / "sub") == {"a.copy": "a", "a.txt": "a"}
    results = [event["result"] for event in mprun.log() if event["event"] == "task.result"]
    assert sorted(results) == [str(mprun.folder / "copy-a.txt"), str(mprun.folder / "sub" / "a.copy")]


def test_a_device_is_written_as_it_is(mprun: CommandLine) -> None:
    """By all tasks, and it stays one. A link stands for /dev/null here: a test that fails must not replace that."""
    (mprun.folder / "null").symlink_to("/dev/null")
    mprun.write(
        "w.yaml",
        """
        pools: {a: {command: [sh, -c, "echo out; echo err >&2"], map: [1, 2], stdout: "null", stderr: "null"}}
        processes: {b: {command: [sh, -c, "echo err >&2; exit 3"], stderr: "null"}}
        """,
    )
    ran = mprun("run", "w.yaml", "--first", "1")
    assert ran.code == 1, ran.stderr
    assert mprun("w.yaml").code == 1
    assert (mprun.folder / "null").is_char_device()
    results = {(e["step"], e.get("task", 0)): e["outcome"] for e in mprun.log() if e["event"].endswith(".result")}
    assert results == {("a", 0): "returned", ("a", 1): "returned", ("b", 0): "raised"}


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with WholeFile(str(pipe)) as file:
        os.write(file.fd, b"one")
        file.publish()
    assert os.read(reader, 10) == b"one"
    os.close(reader)
    assert pipe.is_fifo()
    special = [
        is_special(path) for path in (str(pipe), "/dev/null", "/dev/stdout", "/dev/fd/1", "/dev/shm/x", "/", "\0")
    ]
    assert special == [True, True, True, True, False, False, False]


def test_what_a_kill_leaves_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files need a name; a second one that is written at the same time has another name."""
    refuse_nameless_files(monkeypatch)
    path = tmp_path / "file"
    killed = WholeFile(str(path))
    os.write(killed.fd, b"half, and longer")
    with WholeFile(str(path)) as second:
        assert len(files(tmp_path)) == 2
        second.publish()
    os.close(killed.fd)
    assert len(files(tmp_path)) == 2
    with WholeFile(str(path)) as next_one:
        os.write(next_one.fd, b"whole")
        next_one.publish()
    assert files(tmp_path) == {"file": "whole"}
