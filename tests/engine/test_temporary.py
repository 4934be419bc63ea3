"""The temporary folders: each run removes its own, and those that killed runs have left; never anybody else's."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import get_context, process, util
from pathlib import Path

import pytest
from conftest import CommandLine

from mprun.system import temporary
from mprun.system.temporary import claim_folder, remove_abandoned_folders

UID = os.geteuid()
LOCK = "mprun.lock"

JOBS = """
    import time
    from multiprocessing import connection, util

    LISTENERS = []

    def wait():
        LISTENERS.append(connection.Listener(family="AF_UNIX"))
        print("listening", flush=True)
        time.sleep(60)

    def folder():
        return util.get_temp_dir()
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """An empty folder; the path of `tmp_path` may be too long for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


@pytest.fixture
def tmpdir_of_runs(mprun: CommandLine, short: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the command's processes have for temporary files."""
    mprun.write("jobs.py", JOBS)
    mprun.write("quick.yaml", "processes: {quick: {target: 'jobs:folder'}}")
    monkeypatch.setenv("TMPDIR", str(short))
    return short


@pytest.fixture
def base(short: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What this process has for temporary files, as if it had claimed no folder yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    monkeypatch.setattr(temporary, "_own", None)
    config = process.current_process()._config  # type: ignore[attr-defined]
    before = config.pop("tempdir", None)
    yield short
    if own := temporary._own:
        temporary._remove_own(own)
        os.close(own.lock)
    config["tempdir"] = before


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def abandon(base: Path, name: str = f"mprun-{UID}-abandon1") -> Path:
    """A folder as a killed process leaves it."""
    folder = base / name
    folder.mkdir(mode=0o700)
    (folder / LOCK).touch(0o600)
    (folder / "listener-1").touch()
    return folder


def is_locked(path: str | Path) -> bool:
    """Whether another process than the one that asks holds the lock of a folder."""
    script = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    asked = subprocess.run([sys.executable, "-S", "-c", script, str(Path(path, LOCK))], capture_output=True, text=True)
    return "BlockingIOError" in asked.stderr


# -- whole runs


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
def test_a_run_and_its_children_share_one_folder_that_goes_with_it(
    mprun: CommandLine, tmpdir_of_runs: Path, start_method: str
) -> None:
    mprun.write("quick.yaml", f"start_method: {start_method}\nprocesses: {{quick: {{target: 'jobs:folder'}}}}")
    assert mprun.start("quick.yaml").code == 0
    (found,) = (event["result"] for event in mprun.log() if event["event"] == "process.result")
    assert found.startswith(f"{tmpdir_of_runs}/mprun-{UID}-")
    assert names(tmpdir_of_runs) == []


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
def test_the_next_run_removes_what_a_killed_one_has_left(
    mprun: CommandLine, tmpdir_of_runs: Path, start_method: str
) -> None:
    mprun.write("wait.yaml", f"start_method: {start_method}\nprocesses: {{waits: {{target: 'jobs:wait'}}}}")
    script = """
        $MPRUN -q wait.yaml > said & run=$!
        until grep -q listening said; do sleep 0.01; done
        kill -9 $run; wait $run
        ls $TMPDIR/mprun-*; mkdir $TMPDIR/pymp-12345678
        $MPRUN -q quick.yaml; echo $?
    """
    *sockets, lock, code = mprun.shell(script).stdout.split()
    assert (len(sockets), lock, code) == (2 if start_method == "forkserver" else 1, LOCK, "0")
    assert names(tmpdir_of_runs) == ["pymp-12345678"]


def test_a_run_at_work_keeps_its_folder(mprun: CommandLine, tmpdir_of_runs: Path) -> None:
    mprun.write("wait.yaml", "{grace_period: 0.1, processes: {waits: {target: 'jobs:wait'}}}")
    script = """
        $MPRUN -q wait.yaml > said & run=$!
        until grep -q listening said; do sleep 0.01; done
        before=$(ls $TMPDIR/*)
        $MPRUN -q quick.yaml; $MPRUN -q quick.yaml
        test "$before" = "$(ls $TMPDIR/*)" && echo kept
        kill $run; wait $run; echo $?
    """
    assert mprun.shell(script).stdout.split() == ["kept", "143"]
    assert names(tmpdir_of_runs) == []


# -- one's own


def test_the_owner_holds_the_lock(base: Path) -> None:
    folder = claim_folder()
    assert (os.stat(folder).st_mode & 0o777, Path(folder).parent, folder) == (0o700, base, claim_folder())
    assert util.get_temp_dir() == folder
    remove_abandoned_folders()  # which must not even open the lock: to close it would free it
    assert names(Path(folder)) == [LOCK]
    assert is_locked(folder)


def test_a_forked_process_has_a_folder_of_its_own_and_frees_no_lock(base: Path) -> None:
    own = claim_folder()
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child() -> None:
        remove_abandoned_folders()
        sender.send((claim_folder(), util.get_temp_dir()))

    forked = context.Process(target=child)
    forked.start()
    theirs, used = receiver.recv()
    forked.join()
    assert theirs != own
    assert used == own  # as multiprocessing has it: a folder is the parent's and its children's
    assert names(base) == [os.path.basename(own)]
    assert is_locked(own)


def test_a_folder_that_multiprocessing_has_made_stays_in_use(base: Path) -> None:
    before = process.current_process()._config["tempdir"] = str(base / "pymp-before")  # type: ignore[attr-defined]
    assert claim_folder() != before
    assert util.get_temp_dir() == before


def test_without_room_for_a_socket_multiprocessing_does_as_it_does(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = base / ("x" * 80)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert claim_folder() == ""
    assert "tempdir" not in process.current_process()._config  # type: ignore[attr-defined]
    assert names(deep) == []


def test_without_locks_there_is_no_folder(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    assert claim_folder() == ""
    assert names(base) == []


def test_without_a_place_for_it_there_is_no_folder(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(base / "missing"))
    assert claim_folder() == ""
    remove_abandoned_folders()


# -- another process sweeps while a folder is being made


def sweep_all(base: Path) -> None:
    """As another process does it that sees a folder before its maker has locked it."""
    script = "import sys, tempfile; tempfile.tempdir = sys.argv[1]; from mprun.system.temporary import *"
    script += "; remove_abandoned_folders()"
    subprocess.run([sys.executable, "-c", script, str(base)], check=True)


def test_a_folder_swept_before_it_was_locked_is_made_again(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lockf, swept = fcntl.lockf, []

    def late(fd: int, operation: int) -> None:
        if not swept:
            swept.extend(names(base))
            sweep_all(base)
            assert names(base) == []
        lockf(fd, operation)

    monkeypatch.setattr(fcntl, "lockf", late)
    folder = claim_folder()
    assert names(base) == [os.path.basename(folder)] != swept
    assert is_locked(folder)


def test_a_folder_that_is_just_being_swept_is_left_to_the_sweeper(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lockf, swept = fcntl.lockf, []

    def locked(fd: int, operation: int) -> None:
        if not swept:
            swept.extend(names(base))
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        lockf(fd, operation)

    monkeypatch.setattr(fcntl, "lockf", locked)
    assert is_locked(claim_folder())
    assert names(base) == sorted([*swept, os.path.basename(claim_folder())])


def test_many_at_once_never_lose_a_folder_in_use(base: Path) -> None:
    """Each process claims, sweeps, looks for its folder, and drops the lock as if killed: for others to sweep."""
    script = """if True:
        import os, sys, tempfile
        tempfile.tempdir = sys.argv[1]
        from mprun.system import temporary
        for _ in range(150):
            folder = temporary.claim_folder()
            temporary.remove_abandoned_folders()
            assert os.listdir(folder) == ["mprun.lock"], folder
            os.close(temporary._own.lock)
            temporary._own = None
        os._exit(0)
    """
    started = [subprocess.Popen([sys.executable, "-c", script, str(base)]) for _ in range(4)]
    assert [each.wait() for each in started] == [0, 0, 0, 0]
    remove_abandoned_folders()
    assert names(base) == []


# -- what others may have put there


def test_what_a_killed_process_left_is_removed_whole(base: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    folder = abandon(base)
    (folder / "mprun-results-1" / "results").mkdir(parents=True)
    (folder / "mprun-results-1" / "results" / "a.pickles").touch()
    (folder / "to a folder").symlink_to(outside)
    (folder / "mprun-results-1" / "to a file").symlink_to(outside / "precious")
    os.mkfifo(folder / "fifo")
    remove_abandoned_folders()
    assert names(base) == []
    assert names(outside) == ["precious"]


def other_name(base: Path, name: str) -> None:
    abandon(base, name)


def link_to_one(base: Path) -> None:
    abandon(base, "elsewhere")
    (base / f"mprun-{UID}-abandon1").symlink_to(base / "elsewhere")


def open_to_others(base: Path) -> None:
    abandon(base).chmod(0o770)


def is_a_file(base: Path) -> None:
    (base / f"mprun-{UID}-abandon1").touch()


def is_a_fifo(base: Path) -> None:
    os.mkfifo(base / f"mprun-{UID}-abandon1")


def without_lock(base: Path) -> None:
    (abandon(base) / LOCK).unlink()


def lock_is(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def put(base: Path) -> None:
        without_lock(base)
        make(base / f"mprun-{UID}-abandon1" / LOCK)

    return put


def link_to_file(path: Path) -> None:
    (path.parents[1] / "precious").touch()
    path.symlink_to(path.parents[1] / "precious")


def hard_link(path: Path) -> None:
    (path.parents[1] / "precious").touch()
    path.hardlink_to(path.parents[1] / "precious")


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(lambda base: other_name(base, "pymp-abandon1"), id="multiprocessing's"),
        pytest.param(lambda base: other_name(base, "mprun-abandon1"), id="no user in its name"),
        pytest.param(lambda base: other_name(base, f"mprun-{UID + 1}-abandon1"), id="another user in its name"),
        pytest.param(lambda base: other_name(base, f"mprun-{UID}-abandon12"), id="a longer name"),
        pytest.param(lambda base: other_name(base, f"mprun-{UID}-Abandon1"), id="another alphabet"),
        pytest.param(lambda base: other_name(base, f"my-mprun-{UID}-abandon1"), id="a name before its name"),
        pytest.param(lambda base: other_name(base, f"mprun-{UID}-abandon1\n"), id="a line end after its name"),
        link_to_one,
        open_to_others,
        is_a_file,
        is_a_fifo,
        without_lock,
        pytest.param(lock_is(os.mkfifo), id="its lock is a FIFO"),
        pytest.param(lock_is(Path.mkdir), id="its lock is a folder"),
        pytest.param(lock_is(link_to_file), id="its lock is a link"),
        pytest.param(lock_is(hard_link), id="its lock is another file, too"),
        pytest.param(lock_is(lambda path: path.write_text("mine")), id="its lock has something in it"),
    ],
)
@pytest.mark.timeout(20)
def test_what_is_not_as_mprun_makes_it_stays(base: Path, put: Callable[[Path], None]) -> None:
    put(base)
    before = sorted(base.rglob("*"))
    assert before
    remove_abandoned_folders()
    assert sorted(base.rglob("*")) == before


@pytest.mark.skipif(UID != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("name", [f"mprun-{UID}-abandon1", f"mprun-{UID}-abandon1/{LOCK}"])
def test_what_belongs_to_another_user_stays(base: Path, name: str) -> None:
    folder = abandon(base)
    os.chown(base / name, 12345, 12345)
    remove_abandoned_folders()
    assert names(folder) == ["listener-1", LOCK]


def test_what_cannot_be_removed_now_can_be_later(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is removed last."""
    folder, unlink = abandon(base), os.unlink

    def refuse(path: str, *, dir_fd: int | None = None) -> None:
        if path == "listener-1":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        unlink(path, dir_fd=dir_fd)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
        remove_abandoned_folders()
    assert names(folder) == ["listener-1", LOCK]
    remove_abandoned_folders()
    assert names(base) == []
