"""The files of tasks that an earlier run has done: where one is gone, or has changed, the call is made again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mprun.engines.results.plain_items import plain_loader
from mprun.engines.results.tracking import FILE_NOTES, Notes
from mprun.engines.supply.supply import Supply
from mprun.errors.exceptions import ItemError
from mprun.plan.call_files import FilesOfCall, files_of
from mprun.plan.plan import Step
from mprun.system.fingerprint import fingerprint
from mprun.worker.calls.scope import Scope

_APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class TaskFiles:
    """Those of the calls of `step`, whose items come from `supply`; `earlier` are an earlier run's notes."""

    def __init__(self, step: Step, supply: Supply, earlier: Notes, notes: str = "") -> None:
        self._files = files_of(step, notes)
        self._load = plain_loader(supply)
        self._earlier = earlier
        self._notes = notes

    def why_again(self, item: Any) -> str:
        """Why the call for `item` is made again, as to its files; empty where these are as they were."""
        if self._files is None:
            return ""
        try:
            of_call = self._of(item)
        except (ItemError, LookupError, OSError, EOFError):
            return "the names of its files are known to a worker alone"
        before = self._earlier.get(of_call.key)
        return "what its files were is not known" if before is None else _change(of_call, before)

    def carry_over(self, item: Any) -> None:
        """Note for later runs what the files of a reused call are."""
        if self._files is None or not self._notes:
            return
        key = self._of(item).key
        line = json.dumps({"call": key, "files": dict(self._earlier[key])}).encode() + b"\n"
        fd = os.open(self._notes, _APPENDED, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)

    def _of(self, item: Any) -> FilesOfCall:
        assert self._files is not None
        plain = self._load(item)
        return self._files.of_call(Scope(given={"item": plain, "matrix": plain}).evaluate)


def _change(of_call: FilesOfCall, before: Mapping[str, str]) -> str:
    now = [*of_call.read(), *of_call.written()]
    if gone := next((path for path in [*now, *before] if not os.path.exists(path)), ""):
        return f"its file `{gone}` is gone"
    changed = (path for path in dict.fromkeys([*now, *before]) if fingerprint(path) != before.get(path, None))
    if path := next(changed, ""):
        return f"its file `{path}` has changed"
    return ""


def read_files(folder: str) -> dict[str, dict[str, str]]:
    """The notes of the run in `folder`. The last note of a call counts; what is no note is left out."""
    found: dict[str, dict[str, str]] = {}
    try:
        lines = Path(folder, "digests", FILE_NOTES).read_bytes().splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            note = json.loads(line)
            found[str(note["call"])] = {str(path): str(known) for path, known in note["files"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found
