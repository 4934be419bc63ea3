"""The parent's record of a run's results: which file holds which task's value, never a value itself.

A task costs two numbers in memory. The parent appends small values to the step's file as they come; the child writes
large ones to files of their own.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
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
    `whole`: whatever error the step has, it is not one of this list, but of what its finalizers gave.
    `save_failed`: they were to be saved in a file, and are not. `failures` counts the entries without a value, and
    `received`, by step, those of them that it took as items.

    Whole, they are a list in the order of the tasks. `by_completion`: they stream in the order in which they came.
    `sparse`: the list has only those that have a value.
    """

    def __init__(self, files: ResultFiles, *, single: bool, by_completion: bool = False, sparse: bool = False) -> None:
        self.files = files
        self.error = ""
        self.items = -1
        self.ended = False
        self.failure = ""
        self.whole = False
        self.save_failed = False
        self.failures = 0
        self.received: Counter[str] = Counter()
        self.consumers = Consumers()
        self.on_available: list[Callable[[], None]] = []  # called when there are more results, or no more to come
        self._single = single
        self._by_completion = by_completion
        self._sparse = sparse
        self._offsets, self._lengths = array("q"), array("q")  # by task
        self._came = array("q")  # the tasks in the order in which they came; of a step where that matters
        self._size = 0  # of the file
        self._is_listed = False
        os.makedirs(files.own_folder, mode=0o700)
        self._fds = [os.open(path, _NEW_FILE, 0o600) for path in (files.pickles, files.places)]

    @property
    def count(self) -> int:
        """How many entries the list has: up to the highest ended task, or those that have a value."""
        return len(self._tasks())

    @property
    def single(self) -> bool:
        """Whether they are one value, not a list of them."""
        return self._single

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
        self.failures += 1
        self._enter(task, array("q", [0]), array("q", [NO_VALUE]))
        self._tell_more()

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
        if self._by_completion or self._sparse:
            self._came.extend(range(first, first + len(lengths)))
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
        """Up to `most` results of the stream from `position` on, as far as they are there without a gap.

        They stand in the order of the tasks, or of completion; None is a task without a value.
        """
        if self._by_completion:
            return list(map(self._item, self._came[position : position + most]))
        window = self._lengths[position : position + most]
        count = window.index(NOT_ENDED) if NOT_ENDED in window else len(window)
        return [self._item(number) for number in range(position, position + count)]

    def is_over(self, position: int) -> bool:
        """Whether nothing of the stream comes from `position` on."""
        return self.ended and not self.take(position, 1)

    def listed(self, position: int, most: int) -> list[Item | None]:
        """Up to `most` entries of the list from `position` on, once the step has ended."""
        return list(map(self._item, self._tasks()[position : position + most]))

    def failed(self) -> list[int]:
        """The tasks whose entries have no value, once the step has ended."""
        return [task for task in self._tasks() if self._lengths[task] <= 0]

    def _tasks(self) -> Sequence[int]:
        """The tasks of the list, in order."""
        if not self._sparse:
            return range(len(self._lengths))
        return sorted(task for task in self._came if self._lengths[task] > 0)

    def _item(self, task: int) -> Item | None:
        length = self._lengths[task]
        return Item(task, self._offsets[task], length) if length > 0 else None

    def contents(self) -> Iterator[bytes | memoryview]:
        """The identity of each value, in the order of the tasks; b"" for one that failed. Raises OSError."""
        reader = Reader(self.files)
        for item in map(self._item, self._tasks()):
            yield b"" if item is None else reader.content(item)

    def stored(self) -> Stored:
        """What a child needs to load them all, once the step has ended. Raises OSError."""
        if not self._is_listed:
            with open(os.open(self.files.index, _NEW_FILE, 0o600), "wb") as index:
                for numbers in (self._offsets, self._lengths):
                    numbers.tofile(index)
            self._is_listed = True
        return Stored(self.files, len(self._lengths), self._single, self._sparse)


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

    def _open(self, name: str, *, single: bool, by_completion: bool = False, sparse: bool = False) -> StepResults:
        folder = os.path.join(self.folder, "results")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        files = ResultFiles(folder, name, self._withheld)
        results = self._steps[name] = StepResults(files, single=single, by_completion=by_completion, sparse=sparse)
        return results

    def open_finals(self, step: str) -> StepResults:
        """Begin to store what the finalizers of the pool `step` return. Raises OSError."""
        return self._open(finals_of(step), single=False, sparse=True)

    def of(self, step: str) -> StepResults | None:
        """The results of that step, or the finals under that name; None where the step never started."""
        return self._steps.get(step)

    def all(self) -> Iterator[tuple[str, StepResults]]:
        """The results of each step that has begun to store some, with its name."""
        yield from self._steps.items()

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
