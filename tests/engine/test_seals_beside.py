"""Seals between processes: several that write, keys that another program has made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mprun.errors.exceptions import UsageError
from mprun.log.verifying.signing import checker, signer
from mprun.log.writer import open_log
from mprun.runs.index import read_index


def test_a_log_is_locked_while_its_writer_lives(tmp_path: Path) -> None:
    """A child that was forked meanwhile doesn't hold the lock."""
    log = open_log(str(tmp_path / "events.jsonl"))
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    assert _is_locked(tmp_path / "events.jsonl")
    os.close(log)
    assert not _is_locked(tmp_path / "events.jsonl")
    os.close(writer)
    os.waitpid(child, 0)
    os.close(reader)


def _is_locked(path: Path) -> bool:
    """As another process sees it: one's own locks don't hinder oneself."""
    script = "import fcntl, sys; fcntl.lockf(open(sys.argv[1]), fcntl.LOCK_SH | fcntl.LOCK_NB)"
    return subprocess.run([sys.executable, "-c", script, path], stderr=subprocess.DEVNULL).returncode != 0


def test_many_write_to_the_index_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "index.jsonl")
    script = "import sys; from mprun.runs.index import append; [append(sys.argv[1], 'run.started', n) for n in 'abcde']"
    writers = [subprocess.Popen([sys.executable, "-c", script, path]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert read_index(path).broken == ()
    assert len(Path(path).read_bytes().splitlines()) == 20


# -- signatures


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private key; its public half is beside it, with the suffix .pub."""
    path = tmp_path / "key.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", path)
    openssl("pkey", "-in", path, "-pubout", "-out", f"{path}.pub")
    return path


def test_a_signature_is_good_for_one_seal_and_one_key(key: Path) -> None:
    seal, other = "a" * 64, "b" * 64
    signature = signer(str(key))(seal)
    is_good = checker(f"{key}.pub")
    assert is_good(seal, signature)
    assert not is_good(other, signature)
    assert not is_good(seal, "")
    assert not is_good(seal, "no base64!")
    assert not is_good(seal, signature[::-1])


@pytest.mark.parametrize(
    ("algorithm", "told"),
    [
        (["genpkey", "-algorithm", "x25519"], "is not an Ed25519 key"),
        (["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret"], "has a passphrase"),
    ],
)
def test_a_wrong_key(tmp_path: Path, algorithm: list[str], told: str) -> None:
    openssl(*algorithm, "-out", tmp_path / "key")
    with pytest.raises(UsageError, match=told):
        signer(str(tmp_path / "key"))


def test_a_key_that_is_none(tmp_path: Path, key: Path) -> None:
    (tmp_path / "text").write_text("secret")
    with pytest.raises(UsageError, match="is not a private key in PEM form; `openssl genpkey"):
        signer(str(tmp_path / "text"))
    with pytest.raises(UsageError, match="is not a public key in PEM form; `openssl pkey"):
        checker(str(key))
    with pytest.raises(UsageError, match="can't be read: No such file"):
        signer(str(tmp_path / "missing"))


def test_without_the_package_a_signature_is_refused(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(UsageError, match=r"pip install 'mprun\[sign\]'"):
        signer(str(key))
