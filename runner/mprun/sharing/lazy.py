"""Objects and arrays that the first child that needs them makes, and that reach each other child once.

They lie in memory without a name, which is gone with the last process that has it. A child that dies while it makes one
still holds the lock, and the watch for abandoned locks notices it as any other.
"""

from __future__ import annotations

import mmap
import os
import pickle
from collections.abc import Mapping
from multiprocessing import reduction
from typing import TYPE_CHECKING, Any, Literal

from mprun.sharing.locks import Lock
from mprun.system.memory import anonymous_file

if TYPE_CHECKING:
    import numpy

_NOT_YET: Any = object()


class Once:
    """A thing made once from `arguments`. `made` is a byte that says whether it exists; `lock` guards it."""

    def __init__(self, arguments: Mapping[str, Any], lock: Lock, made: Any, fd: int | None = None) -> None:
        self._arguments = arguments
        self._lock = lock
        self._made = made
        self._fd = anonymous_file(0) if fd is None else fd
        self._value = _NOT_YET

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (type(self), self._arguments, self._lock, self._made, reduction.DupFd(self._fd))

    @property
    def value(self) -> Any:
        """The thing in this process. The first caller of all processes makes it. Raises whatever making it raises."""
        if self._value is _NOT_YET:
            with self._lock:
                if not self._made.value:
                    self._value = self._make()
                    self._made.value = 1
            if self._value is _NOT_YET:
                self._value = self._load()
        return self._value

    def close(self) -> None:
        """Close this process's part of the memory."""
        os.close(self._fd)

    def _make(self) -> Any:
        raise NotImplementedError

    def _load(self) -> Any:
        raise NotImplementedError


class Object(Once):
    """What the function `call`, which `resolve` finds, returned.

    Its large buffers, such as those of arrays, are not copied: all processes map the same memory, copy-on-write.
    """

    def _make(self) -> Any:
        call = self._arguments["resolve"](self._arguments["call"])
        made = call(*self._arguments["args"], **self._arguments["kwargs"])
        buffers: list[pickle.PickleBuffer] = []
        data = pickle.dumps(made, 5, buffer_callback=buffers.append)
        self._write([data, *(buffer.raw() for buffer in buffers)])
        return made

    def _write(self, parts: list[bytes | memoryview]) -> None:
        """Write the number of parts, the length of each, and each part, aligned to a cache line."""
        head = b"".join(number.to_bytes(8, "little") for number in (len(parts), *map(len, parts)))
        position = _aligned(len(head))
        _write_all(self._fd, head, 0)
        for part in parts:
            _write_all(self._fd, part, position)
            position += _aligned(len(part))
        os.ftruncate(self._fd, position)

    def _load(self) -> Any:
        memory = memoryview(mmap.mmap(self._fd, os.fstat(self._fd).st_size, access=mmap.ACCESS_COPY))
        count = int.from_bytes(memory[:8], "little")
        lengths = [int.from_bytes(memory[8 * n : 8 * n + 8], "little") for n in range(1, count + 1)]
        parts, position = [], _aligned(8 * (1 + count))
        for length in lengths:
            parts.append(memory[position : position + length])
            position += _aligned(length)
        return pickle.loads(parts[0], buffers=parts[1:])


class Array(Once):
    """A numpy array in shared memory: of zeros, or with the content of a .npy file.

    With an `mmap_mode` it is the file itself, which the system caches once for all processes.
    """

    def _make(self) -> Any:
        if "shape" in self._arguments or "mmap_mode" in self._arguments:
            return self._load()
        source = self._file("r")
        array = self._over_memory(source.shape, source.dtype)
        self._fill(array, source)
        return array

    def _load(self) -> Any:
        if "mmap_mode" in self._arguments:
            return self._file(self._arguments["mmap_mode"])
        if "file" in self._arguments:
            source = self._file("r")
            return self._over_memory(source.shape, source.dtype)
        import numpy

        return self._over_memory(tuple(self._arguments["shape"]), numpy.dtype(self._arguments["dtype"]))

    def _file(self, mode: Literal["r", "c"]) -> Any:
        import numpy

        return numpy.load(self._arguments["file"], mmap_mode=mode).view(numpy.ndarray)

    def _fill(self, array: numpy.ndarray[Any, Any], source: numpy.ndarray[Any, Any]) -> None:
        """Fill the memory by `write` where possible: that costs a third of touching each page for the first time."""
        if source.flags.c_contiguous:
            _write_all(self._fd, source.reshape(-1).view("u1").data, 0)
        else:
            array[...] = source

    def _over_memory(self, shape: tuple[int, ...], dtype: Any) -> Any:
        import numpy

        if dtype.hasobject:
            raise TypeError(f"an array of {dtype} holds Python's objects, which can't lie in shared memory")
        size = max(1, dtype.itemsize)
        for length in shape:
            size *= length
        os.ftruncate(self._fd, max(1, size))
        return numpy.ndarray(shape, dtype, buffer=mmap.mmap(self._fd, max(1, size)))


def _attach(kind: type[Once], arguments: Mapping[str, Any], lock: Lock, made: Any, handle: Any) -> Once:
    return kind(arguments, lock, made, handle.detach())


def _aligned(size: int) -> int:
    return (size + 63) // 64 * 64


def _write_all(fd: int, data: bytes | memoryview, position: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(fd, left, position)
        left, position = left[written:], position + written
