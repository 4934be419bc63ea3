"""What the child runs that writes a step's results to a file: json, jsonl, csv or pickle, by the file's ending."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from mprun.log.values import NoExactFormError, exact_json, fields_of, scalar_text
from mprun.results.files import Stored
from mprun.worker.boot import process
from mprun.worker.calls.exceptions import exception_fields
from mprun.worker.wire.frames import FAILED, SAVED

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SaveError(Exception):
    """The results don't fit the file's format; says which one, why, and what would take it."""


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
    for number, value in enumerate(stored.values()):
        file.write(opening + _json_line(value, f"result {number}").rstrip(b"\n"))
        opening = b",\n"
    file.write(b"\n]\n" if opening == b",\n" else b"[]\n")


def _jsonl(stored: Stored, file: IO[bytes]) -> None:
    """One result a line; of a single list, one item a line."""
    for which, value in _rows(stored):
        file.write(_json_line(value, which))


def _json_line(value: Any, which: str) -> bytes:
    try:
        return exact_json(value).encode() + b"\n"
    except NoExactFormError as error:
        raise SaveError(f"{which} has no form in JSON: {error}; a .pickle file takes anything") from None


def _csv(stored: Stored, file: IO[bytes]) -> None:
    """One row a result, of mappings under a head with their keys; of a single list, one row an item."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    head: list[Any] | None = None
    for number, (which, value) in enumerate(_rows(stored)):
        row = _row(value, which)
        if isinstance(row, Mapping):
            if number == 0:
                head = list(row)
                writer.writerow([_cell(key, which) for key in head])
            row = _in_order(row, head, which)
        elif head is not None:
            raise SaveError(f"{which} is a {type(value).__name__}, and the first one is a mapping: {_ONE_SHAPE}")
        writer.writerow([_cell(cell, which) for cell in row])
    text.detach()


def _row(value: Any, which: str) -> Mapping[Any, Any] | Sequence[Any]:
    row = fields_of(value)
    if row is None and not isinstance(value, list | tuple):
        kind = type(value).__name__
        raise SaveError(f"{which} is of type {kind}, and a row of a csv file is a mapping or a list")
    return value if row is None else row


def _in_order(row: Mapping[Any, Any], head: list[Any] | None, which: str) -> Sequence[Any]:
    """The cells of `row` in the order of the head."""
    if head is None:
        raise SaveError(f"{which} is a mapping, and the first one is a list: {_ONE_SHAPE}")
    if row.keys() != set(head):
        raise SaveError(f"{which} has the keys {_listed(row)}, and the first one has {_listed(head)}: {_ONE_SHAPE}")
    return [row[key] for key in head]


_ONE_SHAPE = "the rows of a csv file are alike; a .jsonl file takes any"


def _cell(value: Any, which: str) -> str:
    text = scalar_text(value)
    if text is None:
        kind = type(value).__name__
        raise SaveError(f"{which} holds a value of type {kind}, and a cell of a csv file is a single text or number")
    return text


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(f"`{name}`" for name in list(names)[:10]) or "none"


def _pickle(stored: Stored, file: IO[bytes]) -> None:
    pickle.dump(stored.load(), file, 5)


def _rows(stored: Stored) -> Iterator[tuple[str, Any]]:
    """Each result with what it is called in an error; where there is one, and it is a list, its items."""
    if not stored.single:
        return ((f"result {number}", value) for number, value in enumerate(stored.values()))
    value = stored.load()
    if isinstance(value, list | tuple) and fields_of(value) is None:
        return ((f"item {number}", item) for number, item in enumerate(value))
    return iter([("its result", value)])


FORMATS: dict[str, Callable[[Stored, IO[bytes]], None]] = {
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "pickle": _pickle,
}
