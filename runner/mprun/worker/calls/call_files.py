"""Makes a call whose step names its files: the inputs are there before it, and it has made its outputs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from mprun.errors.exceptions import InputMissing, OutputMissing
from mprun.plan.call_files import CallFiles, FilesOfCall
from mprun.plan.child_spec import PoolCall
from mprun.system.fingerprint import fingerprint
from mprun.worker.calls.scope import Scope

SETTLED = 2_000_000_000  # ns after which a file's time shows that it has not been written since

Stat = tuple[int, int, int, int]

_APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def with_files(function: Callable[..., Any], of_call: FilesOfCall, notes: str) -> Callable[..., Any]:
    """`function`, for one call that reads and writes the files `of_call`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        read = _fingerprints_of_inputs(of_call)
        began = time.time_ns()
        before = {path: _stat(path) for path, _ in of_call.outputs}
        value = function(*args, **kwargs)
        _check_outputs(of_call, before, began)
        _note(notes, of_call.key, read | {path: fingerprint(path) for path in of_call.written()})
        return value

    return call


class FilesCall:
    """`function` as a pool calls it, with the files of each call, whose names may depend on its item."""

    def __init__(self, function: Callable[..., Any], call: PoolCall, files: CallFiles, scope: Scope | None) -> None:
        self._function = function
        self._call = call
        self._files = files
        self._scope = scope or Scope()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        item = kwargs or list(args) if self._call == "starmap" else next(iter(args), None)
        self._scope.given.update(item=item, matrix=kwargs)
        of_call = self._files.of_call(self._scope.evaluate)
        return with_files(self._function, of_call, self._files.notes)(*args, **kwargs)


def _fingerprints_of_inputs(of_call: FilesOfCall) -> dict[str, str]:
    """Raises InputMissing, which names all that are missing."""
    found = {path: fingerprint(path) for path in of_call.read()}
    missing = [path for path, print_of in found.items() if not print_of and not os.path.isdir(path)]
    if missing:
        raise InputMissing(f"there is no input {_listed(missing)}")
    return found


def _check_outputs(of_call: FilesOfCall, before: dict[str, Stat | None], began: int) -> None:
    """Raises OutputMissing, which names all that are missing, or are as they were before the call."""
    missing = [path for path in of_call.written() if _stat(path) is None]
    old = [
        path
        for path, may_be_old in of_call.outputs
        if path not in missing and not may_be_old and _is_old(before[path], _stat(path), began)
    ]
    faults = [f"it has not made its output {_listed(missing)}"] if missing else []
    faults += [f"its output {_listed(old)} is as it was before the call"] if old else []
    if faults:
        raise OutputMissing("; ".join(faults))


def _is_old(before: Stat | None, after: Stat | None, began: int) -> bool:
    """Whether a file is as it was. One written just before the call may have been written again in the same moment."""
    return before is not None and before == after and began - before[1] >= SETTLED


def _stat(path: str) -> Stat | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _note(notes: str, key: str, files: dict[str, str]) -> None:
    """Append what the call's files are. Without the note, a later run makes the call again."""
    if not notes:
        return
    line = json.dumps({"call": key, "files": files}).encode() + b"\n"
    try:
        fd = os.open(notes, _APPENDED, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)
    except OSError:
        pass


def _listed(paths: list[str]) -> str:
    shown = ", ".join(f"`{path}`" for path in paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"
