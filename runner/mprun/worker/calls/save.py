"""What the child runs that writes a step's results to a file: json, jsonl, csv or pickle, by the file's ending."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import pickle
from collections.abc import Callable, Iterator
from typing import IO, Any

from mprun.log.values import NoExactFormError, exact_json, fields_of
from mprun.results.files import Stored
from mprun.worker.boot import process
from mprun.worker.calls.csv_rows import SaveError, csv_rows
from mprun.worker.calls.csv_text import csv_line
from mprun.worker.calls.exceptions import exception_fields
from mprun.worker.wire.frames import FAILED, SAVED

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class _Counted(io.RawIOBase):
    """A file that knows the digest and the size of what was written to it."""

    def __init__(self, fd: int) -> None:
        self.size = 0
        self._fd = fd
        self._digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        written = os.write(self._fd, data)
        self._digest.update(memoryview(data)[:written])
        self.size += written
        return written

    def fields(self) -> dict[str, Any]:
        return {"size": self.size, "sha256": self._digest.hexdigest()}


def save_results(stored: Stored, path: str, unfinished: str) -> None:
    """The `target` of the Process: write all of `stored` to `unfinished`, which becomes `path` later, and report that.

    It reports a failure, too, and ends (SystemExit).
    """
    child = process.current
    try:
        fields = _write(stored, path, unfinished)
    except (SaveError, OSError) as error:
        child.send(FAILED, json.dumps({"error": str(error)}).encode())
        raise SystemExit(1) from None
    except BaseException as error:  # noqa: BLE001 -- unpickling calls the user's code
        fields = exception_fields(error)
        text = f"reading them back raised {fields['exception.type']}: {fields['exception.message']}"
        child.send(FAILED, json.dumps({"error": text}).encode())
        raise SystemExit(1) from None
    child.send(SAVED, json.dumps(fields).encode())


def _write(stored: Stored, path: str, unfinished: str) -> dict[str, Any]:
    form = os.path.splitext(path)[1].lstrip(".")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(unfinished, NEW_FILE, 0o666)
    try:
        counted = _Counted(fd)
        with io.BufferedWriter(counted, 1 << 16) as file:
            FORMATS[form](stored, file)
        os.fsync(fd)
    finally:
        os.close(fd)
    return {"format": form, **counted.fields()}


# -- the formats


def _json(stored: Stored, file: IO[bytes]) -> None:
    """One value; or an array with one result a line."""
    if stored.single:
        file.write(_json_line(stored.load(), "its result"))
        return
    opening = b"[\n"
    for which, value in _numbered(stored):
        file.write(opening + _json_line(value, which).rstrip(b"\n"))
        opening = b",\n"
    file.write(b"\n]\n" if opening == b",\n" else b"[]\n")


def _jsonl(stored: Stored, file: IO[bytes]) -> None:
    """One result a line; of a single list, one item a line."""
    results = _items_of(stored.load()) if stored.single else _numbered(stored)
    for which, value in results:
        file.write(_json_line(value, which))


def _numbered(stored: Stored) -> Iterator[tuple[str, Any]]:
    """Each result, None in the place of one that failed, with what it is called in an error."""
    return ((f"result {number}", value) for number, value in enumerate(stored.values()))


def _json_line(value: Any, which: str) -> bytes:
    try:
        return exact_json(value).encode() + b"\n"
    except NoExactFormError as error:
        raise SaveError(f"{which} has no form in JSON: {error}; a .pickle file takes anything") from None


def _csv(stored: Stored, file: IO[bytes]) -> None:
    """One row a result, under a head with the names of the columns if they have names; of a single list, one an item.

    A task that failed has no row.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    text.writelines(map(csv_line, csv_rows(_results(stored))))
    text.detach()


def _results(stored: Stored) -> Iterator[tuple[str, Any]]:
    """Each value with what it is called in an error; where there is one, and it is a list, its items."""
    if not stored.single:
        return ((f"result {task}", value) for task, value in stored.returned())
    return itertools.chain.from_iterable(_items_of(value) for _, value in stored.returned())


def _pickle(stored: Stored, file: IO[bytes]) -> None:
    pickle.dump(stored.load(), file, 5)


def _items_of(value: Any) -> Iterator[tuple[str, Any]]:
    """The items of the result of a single call with what each is called; the result itself where it is no list."""
    if isinstance(value, list | tuple) and fields_of(value) is None:
        return ((f"item {number}", item) for number, item in enumerate(value))
    return iter([("its result", value)])


FORMATS: dict[str, Callable[[Stored, IO[bytes]], None]] = {
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "pickle": _pickle,
}
