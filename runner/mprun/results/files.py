"""Results on disk: how one value is written and read, and what a child gets of a step's results.

Small values stand as pickles one behind the other in one file of the step, which the parent appends to. A large one
has a file of its own, written by the child that made it: its pickle, and the buffers of its arrays beside it (pickle
protocol 5), so that they are written without a copy and read as memory that maps the file. Children load
values from these files; the parent never does.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import pickle
import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LARGE = 64 * 1024  # bytes of a pickle from which on it has a file of its own
OUT_OF_BAND = 32 * 1024  # bytes of one buffer from which on it stands beside the pickle
ALIGNMENT = 64  # bytes; what numpy aligns its own arrays to
READ_AHEAD = 256 * 1024  # bytes of small values that are read at once
PARTS_AT_ONCE = 512  # of one writev

_MAGIC = b"mprunPB5"
_HEAD = struct.Struct("<8sQQ16s")  # the magic, bytes of the pickle, number of buffers, the value's name
_PLACES = struct.Struct("<6q")  # first task, attempt, items, offset, how many, checksum of the small ones
_BUFFER = struct.Struct("<QQ")  # offset, bytes


class Item(NamedTuple):
    """Where one value lies: `length` bytes from `offset` on in the step's file of small values.

    A negative offset is minus the attempt whose file of its own holds it; `length` is then that file's.
    """

    task: int
    offset: int
    length: int


class Pickled(NamedTuple):
    """A value's pickle, and those of its buffers that are large enough to stand beside it."""

    data: bytes
    buffers: list[memoryview]

    def holds(self, texts: Sequence[bytes]) -> bool:
        """Whether one of `texts` stands in it."""
        parts = (self.data, *map(bytes, self.buffers)) if texts else ()
        return any(text in part for text in texts for part in parts)

    @property
    def is_large(self) -> bool:
        return bool(self.buffers) or len(self.data) >= LARGE


def pickle_value(value: Any) -> Pickled:
    """Pickle `value`. Raises whatever its classes raise."""
    buffers: list[memoryview] = []

    def stays_in_band(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < OUT_OF_BAND:
            return True
        buffers.append(raw)
        return False

    return Pickled(pickle.dumps(value, 5, buffer_callback=stays_in_band), buffers)


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """Where the results of `step` lie, in `folder`. A value that holds one of `withheld` is not to be written."""

    folder: str
    step: str
    withheld: tuple[bytes, ...] = ()

    @property
    def pickles(self) -> str:
        return f"{self.folder}/{self.step}.pickles"

    @property
    def places(self) -> str:
        """The file that says which task each value belongs to: see `Place`."""
        return f"{self.folder}/{self.step}.places"

    @property
    def own_folder(self) -> str:
        return f"{self.folder}/{self.step}"

    @property
    def index(self) -> str:
        return f"{self.folder}/{self.step}.index"

    def own(self, task: int, attempt: int) -> str:
        """The file of one large value."""
        return f"{self.own_folder}/{task}-{attempt}.pickle"

    def _unfinished(self, task: int, attempt: int, pid: int) -> str:
        return f"{self.own(task, attempt)}.{pid}"

    def discard(self, task: int, attempt: int, pid: int) -> None:
        """Remove what process `pid` may have written of a large value before it was ended."""
        for path in (self.own(task, attempt), self._unfinished(task, attempt, pid)):
            with contextlib.suppress(OSError):
                os.unlink(path)

    def write_own(self, task: int, attempt: int, value: Pickled) -> int:
        """Write a large value whole or not at all; returns the bytes of its file. Raises OSError."""
        path, temporary = self.own(task, attempt), self._unfinished(task, attempt, os.getpid())
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            size = _write(fd, value)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        finally:
            os.close(fd)
        return size


def _write(fd: int, value: Pickled) -> int:
    places, end = [], _HEAD.size + _BUFFER.size * len(value.buffers) + len(value.data)
    for buffer in value.buffers:
        offset = end + -end % ALIGNMENT
        places.append((offset, buffer.nbytes))
        end = offset + buffer.nbytes
    head = _HEAD.pack(_MAGIC, len(value.data), len(value.buffers), os.urandom(16))
    head += b"".join(_BUFFER.pack(*at) for at in places)
    parts: list[bytes | memoryview] = [head, value.data]
    written = len(head) + len(value.data)
    for (offset, size), buffer in zip(places, value.buffers, strict=True):
        parts += [bytes(offset - written), buffer]
        written = offset + size
    _write_all(fd, parts)
    return end


def _write_all(fd: int, parts: Sequence[bytes | memoryview]) -> None:
    left = [memoryview(part) for part in parts if len(part)]
    while left:
        written = os.writev(fd, left[:PARTS_AT_ONCE])
        done = 0
        while done < len(left) and written >= len(left[done]):
            written -= len(left[done])
            done += 1
        del left[:done]
        if written:
            left[0] = left[0][written:]


def read_own(path: str) -> Any:
    """Load a large value. Its arrays are the file's pages, copied when they are written to.

    Raises OSError, and whatever unpickling raises.
    """
    with open(path, "rb") as file:
        memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    magic, length, count, _ = _HEAD.unpack_from(memory)
    if magic != _MAGIC:
        raise pickle.UnpicklingError(f"{path} holds no result")
    places = [_BUFFER.unpack_from(memory, _HEAD.size + _BUFFER.size * number) for number in range(count)]
    start = _HEAD.size + _BUFFER.size * count
    return pickle.loads(memory[start : start + length], buffers=[memory[at : at + size] for at, size in places])


def own_name(path: str) -> bytes:
    """The name of a large value: 16 bytes that no other value has. A copy of its file keeps it. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError(f"{path} is shorter than it was")
    name: bytes = _HEAD.unpack(head)[3]
    return name


class Reader:
    """Loads values of one step. It reads on a little, as those that are wanted next mostly lie side by side."""

    def __init__(self, files: ResultFiles) -> None:
        self._files = files
        self._start = 0
        self._read = b""

    def load(self, item: Item | tuple[int, int, int]) -> Any:
        """The value of `item`. Raises OSError, and whatever unpickling it raises."""
        task, offset, length = item
        if offset < 0:
            return read_own(self._files.own(task, -offset))
        return pickle.loads(self.pickle(offset, length))

    def pickle(self, offset: int, length: int) -> memoryview:
        """The bytes of a small value. Raises OSError."""
        start = offset - self._start
        if start < 0 or start + length > len(self._read):
            self._read_from(offset, length)
            start = 0
        return memoryview(self._read)[start : start + length]

    def content(self, item: Item | tuple[int, int, int]) -> bytes | memoryview:
        """The identity of the value of `item`: its pickle, or a large value's name. Raises OSError."""
        task, offset, length = item
        return own_name(self._files.own(task, -offset)) if offset < 0 else self.pickle(offset, length)

    def _read_from(self, offset: int, length: int) -> None:
        # Not kept open: a descriptor is not safe from user code that closes what it doesn't know.
        with open(self._files.pickles, "rb", buffering=0) as file:
            self._read = os.pread(file.fileno(), max(length, READ_AHEAD), offset)
        self._start = offset
        if len(self._read) < length:
            raise EOFError(f"{self._files.pickles} is shorter than it was")


@dataclass(frozen=True, slots=True)
class Stored:
    """All results of one finished step, for a child: `count` of them, listed in the file `files.index`.

    `single`: it is one value, not a list of them. They stand in the order of the tasks, with None in the place of one
    that failed; where they are `sparse`, those are left out.
    """

    files: ResultFiles
    count: int
    single: bool
    sparse: bool

    def items(self) -> Iterator[Item | None]:
        """Where each of them lies; None in the place of one that failed."""
        with open(self.files.index, "rb") as file:
            offsets, lengths = array("q"), array("q")
            offsets.fromfile(file, self.count)
            lengths.fromfile(file, self.count)
        for item in map(Item, itertools.count(), offsets, lengths):
            if item.length > 0 or not self.sparse:
                yield item if item.length > 0 else None

    def values(self) -> Iterator[Any]:
        """Each value, one after the other. Raises OSError, and whatever unpickling raises."""
        reader = Reader(self.files)
        return (None if item is None else reader.load(item) for item in self.items())

    def returned(self) -> Iterator[tuple[int, Any]]:
        """Each task that has a value, and the value. Raises as `values` does."""
        reader = Reader(self.files)
        return ((item.task, reader.load(item)) for item in self.items() if item is not None)

    def load(self) -> Any:
        """The value, or the list of them."""
        return next(self.values(), None) if self.single else list(self.values())


class Place(NamedTuple):
    """Where an earlier run has put a task's value: as the numbers of `Item`, and the items of a single call's value."""

    attempt: int
    offset: int
    length: int
    items: int

    @property
    def has_own_file(self) -> bool:
        return self.length < 0


def place_record(first: int, attempt: int, items: int, offset: int, lengths: array[int], data: bytes) -> bytes:
    """The records in the file of places for values in a row, whose small ones are `data`, written from `offset` on."""
    return _PLACES.pack(first, attempt, items, offset, len(lengths), zlib.crc32(data)) + lengths.tobytes()


def read_places(files: ResultFiles) -> dict[int, Place]:
    """The places of all values of a step, by task: of those only that are in their file as they were written.

    Nothing where there is no such file; a record that a crash has torn is left out.
    """
    places: dict[int, Place] = {}
    with contextlib.suppress(FileNotFoundError), open(files.places, "rb") as file, open(files.pickles, "rb") as values:
        while len(head := file.read(_PLACES.size)) == _PLACES.size:
            first, attempt, items, offset, count, checksum = _PLACES.unpack(head)
            data = file.read(8 * count)
            lengths = array("q", data[: len(data) // 8 * 8])
            inside = [max(length, 0) for length in lengths]
            values.seek(offset)
            if len(lengths) == count and zlib.crc32(values.read(sum(inside))) == checksum:
                offsets = offsets_of(inside, offset)
                places |= {
                    first + number: Place(attempt, at, length, items)
                    for number, (at, length) in enumerate(zip(offsets, lengths, strict=True))
                }
    return places


def offsets_of(lengths: Sequence[int], start: int) -> array[int]:
    """Where values of `lengths` begin that stand one behind the other from `start` on."""
    return array("q", itertools.accumulate(lengths[:-1], initial=start)) if lengths else array("q")
