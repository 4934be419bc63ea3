"""What the steps and the tasks of a run are, noted beside its log as they come; and what an earlier run has of them.

However a run ends: from these notes, its log and its results another one can go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from mprun.engines.results.notes import StepNotes
from mprun.engines.results.store import Store
from mprun.engines.supply.supply import Supply
from mprun.log.codec.task_lines import Recorded
from mprun.plan.digests import content_digest, content_digests, is_written, step_parts
from mprun.plan.plan import Plan, Step, items_of
from mprun.plan.trial import may_reuse
from mprun.plan.work import CodeReader, Work
from mprun.results.files import Reader
from mprun.sources.decoding import CsvRows

FILE_NOTES = "files.jsonl"  # in the folder of digests: a line for each call that has returned, if its step names files

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Contents = Callable[[Sequence[Any]], list[Any]]  # of items as they are sent: the identity of each, wherever it stands


Notes = Mapping[str, Mapping[str, str]]  # of calls: by what a call's note is found by, the fingerprint of each file

_NO_NOTES: Notes = MappingProxyType({})


class EarlierValue(NamedTuple):
    """A value that an earlier run has kept: its pickle, or a large one's path. `length` is as in `Values`."""

    length: int
    items: int
    data: bytes
    path: str


class Reused(NamedTuple):
    """What an earlier run has of a task: what the line in its log says, and its value, if kept."""

    recorded: Recorded
    value: EarlierValue | None


class EarlierTasks(Protocol):
    """What the run `run_id` has of the work of one step."""

    run_id: str

    def find(self, first: int, count: int, digests: Callable[[], bytes]) -> Sequence[int]:
        """The number that each of the tasks `first`, `first` + 1, … had there; -1 for one that has not returned.

        `digests` are those of their items, one behind the other; it is called where they are needed.
        """

    def recall(self, number: int, *, logged: bool, kept: bool) -> Reused | None:
        """What it has of the task with that number; None where that lacks the result, or the value, that is needed."""

    def keys(self, number: int) -> Any:
        """The `keys` that the task with that number had its label by, as the plan writes them."""

    def is_first(self, number: int) -> bool:
        """Whether the task with that number is known by version 1 of the digests alone."""

    @property
    def first_digest(self) -> str:
        """That version's digest of the step, where any of its tasks is known so; else empty."""


class Earlier(Protocol):
    """A run that another one resumes."""

    run_id: str

    @property
    def diverted(self) -> bool:
        """Whether it was a trial whose files went elsewhere."""

    @property
    def call_files(self) -> Notes:
        """What the files of its calls were."""

    def tasks(self, step: Step, work: Work) -> EarlierTasks | None:
        """What it has of the `work` that `step` does; None where it has nothing."""


class Tracked:
    """What one step is, and what each of its items is. `earlier` is what an earlier run has of it, if anything.

    `first_path` is for the ranges of the tasks that were reused by version 1 of the digests.
    """

    def __init__(
        self, path: str, earlier: EarlierTasks | None, first_path: str = "", earlier_files: Notes = _NO_NOTES
    ) -> None:
        self.earlier = earlier
        self.earlier_files = earlier_files
        self._path = path
        self._first_path = first_path
        self._fd = -1
        self.reused = 0  # tasks

    @property
    def looks_at_items(self) -> bool:
        return bool(self._path) or self.earlier is not None

    def take(self, first: int, items: Sequence[Any], contents: Contents) -> Sequence[int]:
        """Note what the tasks `first`, `first` + 1, … are; returns what numbers they had in the earlier run, or -1."""
        known: list[bytes] = []

        def digests() -> bytes:
            if not known:
                known.append(content_digests(contents(items)))
            return known[0]

        try:
            if self._path:
                self._note(digests())
            if self.earlier is not None:
                return self.earlier.find(first, len(items), digests)
        except OSError:  # of the files that the items, or the earlier run's, are in
            self._path = ""
        return [-1] * len(items)

    def note_reused(self, task: int, number: int) -> bool:
        """`task` is about to be reused, which had that number; False where it can't be, as its digest can't be noted.

        A later run compares it by the digest by which it was found: it must not pass for one that is known better.
        """
        if self.earlier is None or not self.earlier.is_first(number) or not self._first_path:
            self.reused += 1
            return True
        try:
            with open(os.open(self._first_path, _NEW_FILE & ~os.O_EXCL | os.O_APPEND, 0o600), "wb") as file:
                file.write(b"%d\n" % task)
        except OSError:
            return False
        self.reused += 1
        return True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _note(self, digests: bytes) -> None:
        """Where that fails, the file ends there: what is not in it will be run again."""
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, _NEW_FILE, 0o600)
            if os.write(self._fd, digests) < len(digests):
                self._path = ""
        except OSError:
            self._path = ""


class Tracking:
    """That of a whole run. Notes go into `digests` below the run's `folder`; where that is empty, there are none.

    `plan` is the plan without secrets and without what only this run has.
    """

    def __init__(self, plan: Plan, folder: str, store: Store, earlier: Earlier | None = None) -> None:
        self._plan = plan
        self._folder = os.path.join(folder, "digests") if folder else ""
        self._store = store
        self._earlier = earlier if earlier is not None and may_reuse(plan, earlier) else None
        self._code = CodeReader(plan, folder)
        self._notes = StepNotes(self._folder, self._code)
        self._tracked: dict[str, Tracked] = {}

    @property
    def file_notes(self) -> str:
        """The path of the file in which calls note what their files are; empty where the run has no folder."""
        return os.path.join(self._folder, FILE_NOTES) if self._folder else ""

    def begin(self, name: str) -> Tracked:
        """The turn of the step of that name has come: what its references stand for is there. Raises OSError."""
        step = self._plan.step(name)
        source = items_of(step)
        work = self._code.work(step, step_parts(self._plan, step, self._digest_of_results))
        earlier = self._compare(step, work)
        notes_items = self._folder and source is not None and not is_written(source)
        path = os.path.join(self._folder, f"{name}.tasks") if notes_items else ""
        first_path = os.path.join(self._folder, f"{name}.first") if self._folder else ""
        files = self._earlier.call_files if self._earlier is not None and earlier is not None else _NO_NOTES
        self._tracked[name] = Tracked(path, earlier, first_path, files)
        return self._tracked[name]

    def reused(self, *names: str) -> dict[str, int]:
        """How many tasks of these steps, or of all, were reused, as the field of an event; no field for none."""
        tracked = map(self._tracked.get, names) if names else self._tracked.values()
        count = sum(each.reused for each in tracked if each is not None)
        return {"reused_tasks": count} if count else {}

    def advance(self) -> bool:
        """Read some of the code of the steps that have begun; False where all of it is known."""
        return self._notes.advance()

    def close(self) -> None:
        for tracked in self._tracked.values():
            tracked.close()
        self._notes.close()

    def _compare(self, step: Step, work: Work) -> EarlierTasks | None:
        """Note `work`, and find what the earlier run has of it."""
        if self._earlier is None:
            self._notes.begin(step, work)
            return None
        self._code.read(step, work)
        earlier = self._earlier.tasks(step, work)
        self._notes.complete(step, work, earlier.first_digest if earlier is not None else "")
        return earlier

    def _digest_of_results(self, name: str) -> str:
        results = self._store.of(name)
        if results is None:
            return "none"
        digests = content_digests(results.contents())
        return content_digest(digests).hex()


def contents_of(supply: Supply) -> Contents:
    """The identities of the items of `supply`, wherever they stand."""
    if supply.items_from is not None:
        content = Reader(supply.items_from).content
        if supply.items_are == "places":  # of one list, which is hashed once
            digest_of = cache(lambda where: content_digest(content(where)))
            return lambda items: [digest_of(where) + b"%d" % number for number, where in items]
        return lambda items: [b"" if item is None else bytes(content(item)) for item in items]
    if isinstance(supply.decoding, CsvRows):
        names = supply.decoding.names
        return lambda items: [[names, fields] for _, fields in items]
    if supply.decoding is not None:
        return lambda items: [piece for _, piece in items]
    return list
