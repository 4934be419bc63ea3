"""The parent's record of a run's results: which file holds which task's value, never a value itself.

A task costs two numbers in memory. The parent appends small values to the step's file as they come; the child writes
large ones to files of their own.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence

from mprun.engines.results.back_pressure import Consumers
from mprun.language.references import finals_of
from mprun.plan.plan import PoolStep, Step, has_one_result
from mprun.results.files import Item, Reader, ResultFiles, Stored, offsets_of, place_record
from mprun.system.temporary import claim_folder
from mprun.worker.wire.result_frames import Values

NOT_ENDED, NO_VALUE = 0, -1  # in place of a value's length, which is at least 1

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class StepResults:
    """The results of one step: where each task's value lies, or that it has none.

    `error` says why no more values can be written. `items` is the length of a single call's one value (-1: it is not a
    sequence). `ended` is set at the step's end. `failure` says why the results must not be taken as complete.
    """

    def __init__(self, files: ResultFiles, *, single: bool, by_completion: bool) -> None:
        self.files = files
        self.error = ""
        self.items = -1
        self.ended = False
        self.failure = ""
        self.consumers = Consumers()
        self.on_available: list[Callable[[], None]] = []  # called when there are more results, or no more to come
        self._single = single
        # By task or, where results go by completion, in the order in which they came; `_tasks` then has the tasks.
        self._by_completion = by_completion
        self._offsets, self._lengths, self._tasks = array("q"), array("q"), array("q")
        self._size = 0  # of the file
        self._is_listed = False
        os.makedirs(files.own_folder, mode=0o700)
        self._fds = [os.open(path, _NEW_FILE, 0o600) for path in (files.pickles, files.places)]

    @property
    def count(self) -> int:
        """How many results there are: up to the highest ended task, or those that came."""
        return len(self._lengths)

    # -- what the step's execution reports

    def add(self, values: Values) -> None:
        """Add the values of tasks in a row that had none: they are in their files when this returns.

        Where they can't be written, `error` says why, and the tasks have no value.
        """
        if not self._write(values):
            for task in range(values.first, values.first + len(values.lengths)):
                self.add_none(task)
            return
        lengths = array("q", map(abs, values.lengths))
        self._enter(values.first, _places(values, self._size), lengths)
        self._size += len(values.data)
        self.items = values.items
        self.consumers.has_more(list(lengths))
        self._tell_more()

    def add_none(self, task: int) -> None:
        """`task` has ended without a value."""
        if not self._by_completion:
            self._enter(task, array("q", [0]), array("q", [NO_VALUE]))
            self._tell_more()

    def sort(self) -> None:
        """Sort results that came by completion into the order of their tasks."""
        order = sorted(range(self.count), key=self._tasks.__getitem__)
        self._offsets, self._lengths, self._tasks = (
            array("q", map(numbers.__getitem__, order)) for numbers in (self._offsets, self._lengths, self._tasks)
        )

    def end(self, failure: str) -> None:
        """The step has ended: there is no more to come."""
        self.ended, self.failure = True, failure
        self.close()
        self._tell_more()

    def close(self) -> None:
        while self._fds:
            os.close(self._fds.pop())

    def _write(self, values: Values) -> bool:
        """Write the values first: then what the file of places says is true whenever this process dies."""
        head = values.first, values.attempt, values.items
        parts = values.data, place_record(*head, self._size, values.lengths, values.data)
        try:
            for fd, part in zip(self._fds, parts, strict=True):
                left = memoryview(part)
                while left and not self.error:
                    left = left[os.write(fd, left) :]
        except OSError as error:
            self.error = error.strerror or str(error)
        return not self.error

    def _enter(self, first: int, offsets: array[int], lengths: array[int]) -> None:
        if self._by_completion:
            self._tasks.extend(range(first, first + len(lengths)))
            first = len(self._lengths)
        end = first + len(lengths)
        if end > len(self._lengths):
            room = bytes(self._lengths.itemsize * (end - len(self._lengths)))  # NOT_ENDED
            self._offsets.frombytes(room)
            self._lengths.frombytes(room)
        self._offsets[first:end] = offsets
        self._lengths[first:end] = lengths

    def _tell_more(self) -> None:
        for notify in self.on_available:
            notify()

    # -- asked by those who need them

    def take(self, position: int, most: int) -> list[Item | None]:
        """Up to `most` results from `position` on, as far as they are there without a gap.

        They stand in the order of the tasks, or of completion; None is a task without a value.
        """
        window = self._lengths[position : position + most]
        count = window.index(NOT_ENDED) if NOT_ENDED in window else len(window)
        return [self._item(number) for number in range(position, position + count)]

    def _item(self, number: int) -> Item | None:
        length = self._lengths[number]
        task = self._tasks[number] if self._by_completion else number
        return Item(task, self._offsets[number], length) if length > 0 else None

    def contents(self) -> Iterator[bytes | memoryview]:
        """The identity of each value, in the order of the tasks; b"" for one that failed. Raises OSError."""
        reader = Reader(self.files)
        numbers: Sequence[int] = range(self.count)
        if self._by_completion:
            numbers = sorted(numbers, key=self._tasks.__getitem__)
        for item in map(self._item, numbers):
            yield b"" if item is None else reader.content(item)

    def stored(self) -> Stored:
        """What a child needs to load them all, once the step has ended. Raises OSError."""
        if not self._is_listed:
            with open(os.open(self.files.index, _NEW_FILE, 0o600), "wb") as index:
                for numbers in (self._offsets, self._lengths, self._tasks):
                    numbers.tofile(index)
            self._is_listed = True
        return Stored(self.files, self.count, self._single, self._by_completion)


def _places(values: Values, start: int) -> array[int]:
    """The offsets of `values` whose data is written from `start` on; of one in a file of its own minus the attempt."""
    lengths = values.lengths
    if min(lengths) > 0:
        return offsets_of(lengths, start)
    offsets = offsets_of([max(length, 0) for length in lengths], start)
    return array("q", [at if length > 0 else -values.attempt for at, length in zip(offsets, lengths, strict=True)])


def not_stored(error: OSError | str) -> str:
    """The error of a step whose results can't be written to their files."""
    return f"its results could not be kept: {error}"


class Store:
    """The results of a run, in `results` below the run's `folder`; where that is empty, in a folder for the while.

    A value that holds one of `withheld` is not kept.
    """

    def __init__(self, folder: str, withheld: tuple[bytes, ...] = ()) -> None:
        self._folder = folder
        self._withheld = withheld
        self._temporary = ""
        self._steps: dict[str, StepResults] = {}

    @property
    def folder(self) -> str:
        """The run's folder. Raises OSError where one for the while can't be made."""
        if not self._folder:
            import tempfile

            self._folder = self._temporary = tempfile.mkdtemp(prefix="mprun-results-", dir=claim_folder() or None)
        return self._folder

    def open(self, step: Step) -> StepResults:
        """Begin to store the results of `step`. Raises OSError."""
        by_completion = isinstance(step, PoolStep) and step.call == "imap_unordered"
        return self._open(step.name, single=has_one_result(step), by_completion=by_completion)

    def _open(self, name: str, *, single: bool, by_completion: bool) -> StepResults:
        folder = os.path.join(self.folder, "results")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        files = ResultFiles(folder, name, self._withheld)
        results = self._steps[name] = StepResults(files, single=single, by_completion=by_completion)
        return results

    def open_finals(self, step: str) -> StepResults:
        """Begin to store what the finalizers of the pool `step` return. Raises OSError."""
        return self._open(finals_of(step), single=False, by_completion=True)

    def of(self, step: str) -> StepResults | None:
        """The results of that step, or the finals under that name; None where the step never started."""
        return self._steps.get(step)

    def stored(self, step: str) -> Stored | None:
        """As `StepResults.stored`; None where it never started. Raises OSError."""
        results = self.of(step)
        return None if results is None else results.stored()

    def close(self) -> None:
        """Close all files, and remove the folder if it was temporary."""
        for results in self._steps.values():
            results.close()
        if self._temporary:
            import shutil

            shutil.rmtree(self._temporary, ignore_errors=True)
