"""What an earlier run has done, read from its folder: its plan, its notes of its work, its log, its results."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from mprun.engines.results.task_files import read_files
from mprun.engines.results.tracking import EarlierValue, Reused
from mprun.errors.exceptions import UsageError
from mprun.log.codec.event import Event, event_of
from mprun.log.codec.recorded import RecordedResults
from mprun.log.codec.task_lines import NOT_RECORDED
from mprun.log.reading.lock import is_locked
from mprun.log.verifying.verify import verify
from mprun.plan.digests import SIZE, content_digest, content_digests, is_written, may_be_reused
from mprun.plan.plan import Step, as_data, items_of
from mprun.plan.work import Work
from mprun.results.files import Place, Reader, ResultFiles, read_places
from mprun.resuming.log_results import NOT_LOGGED, LogResults, read_results
from mprun.resuming.notes import StepNote, read_first_tasks, read_modules, read_notes
from mprun.resuming.plan_sources import written_source
from mprun.runs.find import RunFiles, find_run


class EarlierStep:
    """What a run has of one of its steps. `note` says what the work of its tasks was.

    Tasks that it has reused by version 1 of the digests are those of a step of their own, whose `note` says so.
    """

    def __init__(self, run: EarlierRun, name: str, note: StepNote) -> None:
        self.run_id = run.run_id
        self.name = name
        self.note = note
        self._run = run
        self._lines = RecordedResults(run.files.log)
        self._files = ResultFiles(os.path.join(run.files.folder, "results"), name)
        self._values = Reader(self._files)

    def does(self, work: Work) -> bool:
        """Whether its tasks did the work `work`."""
        note = self.note
        if note.changed:
            return False
        if note.version == 1:
            return note.digest == work.first_digest
        if note.digest:
            return note.digest == work.digest
        return note.parts == work.parts and not work.files_since(self._run.began)  # it was killed before it knew

    @cached_property
    def results(self) -> LogResults:
        return self._run.results.get(self.name, LogResults())

    @property
    def document(self) -> dict[str, Any]:
        """The step as its run's plan has it."""
        return self._run.step(self.name)

    def returned(self, number: int) -> bool:
        """Whether the task with that number has returned, and is one that the note is about."""
        return self.results.has(number) and (number in self._run.first_tasks(self.name)) == self.note.is_of_first

    def made_by(self, number: int) -> str:
        """The id of the run that the result of the task with that number is from: another one where it was reused."""
        if not self.results.has(number) or self.results.offsets[number] == NOT_LOGGED:
            return self.run_id
        with open(self._run.files.log, "rb") as log:
            log.seek(self.results.offsets[number])
            return str(event_of(log.readline()).get("reused", self.run_id))

    def recall(self, number: int, *, logged: bool, kept: bool) -> Reused | None:
        """See `EarlierTasks`."""
        offset = self.results.offsets[number]
        found = None if logged else NOT_RECORDED
        if logged and offset != NOT_LOGGED:
            found = self._lines.at(offset)
        value = self._value(number) if kept else None
        return None if found is None or (kept and value is None) else Reused(found, value)

    def _value(self, number: int) -> EarlierValue | None:
        place = self._places.get(number)
        if place is None:
            return None
        if place.has_own_file:
            path = self._files.own(number, place.attempt)
            return EarlierValue(place.length, place.items, b"", path) if os.path.isfile(path) else None
        data = bytes(self._values.pickle(place.offset, place.length))
        return EarlierValue(place.length, place.items, data, "")

    def position(self, digest: bytes) -> int:
        """Where the item with that digest first stood; -1 where there was none."""
        at = self.digests.find(digest)
        while at % SIZE and at >= 0:
            at = self.digests.find(digest, at + 1)
        return at // SIZE if at >= 0 else -1

    def content(self, number: int) -> bytes:
        """The identity of the value of the task with that number. Raises OSError, and KeyError for no value."""
        place = self._places[number]
        offset = -place.attempt if place.has_own_file else place.offset
        return bytes(self._values.content((number, offset, abs(place.length))))

    @property
    def has_one_result(self) -> bool:
        """Whether what it gave is one value, and not one for each task."""
        return self.document.get("call") == "apply" or ("cells" in self.document and not self.document["cells"])

    def kept(self) -> dict[int, Place]:
        """The tasks whose values it has."""
        return self._places

    def load(self, number: int) -> Any:
        """The value of the task with that number. Raises OSError, KeyError, and what unpickling raises."""
        place = self._places[number]
        offset = -place.attempt if place.has_own_file else place.offset
        return self._values.load((number, offset, abs(place.length)))

    @cached_property
    def _places(self) -> dict[int, Place]:
        return read_places(self._files)

    @cached_property
    def digests(self) -> bytes:
        """Those of its tasks' items, one behind the other."""
        source = self.document.get("source") or self.document.get("cells")
        if source is None:
            return content_digests([None])
        if self._noted_items is not None:
            return self._noted_items
        written = written_source(source)
        return b"" if written is None else content_digests(written.items())

    @property
    def written_items(self) -> Any:
        """What the plan says of its items, where that is all; else None."""
        return self.document.get("source") or self.document.get("cells") if self._noted_items is None else None

    @cached_property
    def _noted_items(self) -> bytes | None:
        """The digests of items that the plan doesn't have, or not whole."""
        try:
            data = Path(self._run.files.folder, "digests", f"{self.name}.tasks").read_bytes()
        except OSError:
            return None
        return data[: len(data) // SIZE * SIZE]


class MatchedTasks:
    """The tasks of a step that have their equals among those of `steps`, which do the same work.

    A task's number in them is that of its step among `steps`, and its own.
    """

    def __init__(self, step: Step, steps: Sequence[EarlierStep], work: Work) -> None:
        self.run_id = steps[0].run_id
        self._steps = steps
        self._work = work
        source = items_of(step)
        self._items = b"" if source is None or not is_written(source) else content_digest(as_data(source))
        self._same_items = source is None or self._has_same_items(steps[0])

    def find(self, first: int, count: int, digests: Callable[[], bytes]) -> Sequence[int]:
        """See `EarlierTasks`."""
        tasks = range(first, first + count)
        if self._same_items:
            numbers = [self._number(0, task) if self._steps[0].returned(task) else -1 for task in tasks]
            if len(self._steps) == 1 or -1 not in numbers:
                return numbers
        return [self._find(task, digest) for task, digest in enumerate(_cut(digests()), first)]

    def recall(self, number: int, *, logged: bool, kept: bool) -> Reused | None:
        """See `EarlierTasks`."""
        step, task = self.place(number)
        return step.recall(task, logged=logged, kept=kept)

    def keys(self, number: int) -> Any:
        """See `EarlierTasks`."""
        return self.place(number)[0].document.get("keys", "")

    def is_first(self, number: int) -> bool:
        """See `EarlierTasks`."""
        return self.place(number)[0].note.version == 1 and bool(self.first_digest)

    @cached_property
    def first_digest(self) -> str:
        """See `EarlierTasks`; empty where version 1 saw the same as this one, as there is no code to look at."""
        first = self._work.first_digest
        is_known_so = any(step.note.version == 1 for step in self._steps) and first != self._work.digest
        return first if is_known_so else ""

    def place(self, number: int) -> tuple[EarlierStep, int]:
        """The step and the task there that `number` means."""
        task, at = divmod(number, len(self._steps))
        return self._steps[at], task

    def content(self, number: int) -> bytes:
        """The identity of the value of the task with that number. Raises OSError, and KeyError for no value."""
        step, task = self.place(number)
        return step.content(task)

    def why_run(self, number: int, digest: bytes) -> str:
        """Why the task whose item has `digest` is run, and not reused with that number."""
        if number >= 0:
            return "its result was not kept, and now is needed"
        places = [(step, at) for step in self._steps if (at := step.position(digest)) >= 0]
        if not places:
            return "a new item"
        step, at = places[0]
        return step.results.failures.get(at, "not begun, or not ended,") + " before"

    def _has_same_items(self, step: EarlierStep) -> bool:
        written = step.written_items
        return bool(self._items) and written is not None and content_digest(written) == self._items

    def _number(self, at: int, task: int) -> int:
        return task * len(self._steps) + at

    def _find(self, task: int, digest: bytes) -> int:
        """Where it stood: mostly where it stands now."""
        here = self._steps[0].digests[task * SIZE : (task + 1) * SIZE]
        if here == digest and self._steps[0].returned(task):
            return self._number(0, task)
        return self._by_digest.get(digest, -1)

    @cached_property
    def _by_digest(self) -> dict[bytes, int]:
        """The number of each item that has returned; of the first step that has it."""
        return {
            digest: self._number(at, task)
            for at, step in reversed(list(enumerate(self._steps)))
            for task, digest in enumerate(_cut(step.digests))
            if step.returned(task)
        }


class EarlierRun:
    """A run that another one resumes: see `engines.results.tracking.Earlier`."""

    def __init__(self, files: RunFiles, head: Event) -> None:
        self.files = files
        self.head = head
        self.run_id = str(head["run_id"])
        self.plan = _read_plan(files, str(head.get("plan_sha256")))
        self._first_tasks: dict[str, frozenset[int]] = {}
        self._notes = read_notes(files.folder)
        self.steps = [EarlierStep(self, name, each) for name, note in self._notes.items() for each in note.each()]

    @property
    def workflow(self) -> str:
        """The path of its workflow file."""
        return str(self.plan["workflow"])

    @property
    def only(self) -> list[str] | None:
        """The steps and cells that it was asked for; None where for all."""
        return self.plan.get("only") or None

    @property
    def diverted(self) -> bool:
        """Whether it was a trial whose files went into its folder, and not where a full run has them."""
        return "trial" in self.head

    @property
    def first(self) -> int | None:
        """How many items of each step it was asked for; None where for all."""
        return self.plan.get("first") or None

    @property
    def began(self) -> int:
        """When it began, in ns since the epoch."""
        return int(datetime.fromisoformat(self.head["ts"]).timestamp() * 1000) * 1_000_000

    @cached_property
    def call_files(self) -> dict[str, dict[str, str]]:
        """See `Earlier`."""
        return read_files(self.files.folder)

    def tasks(self, step: Step, work: Work) -> MatchedTasks | None:
        """See `Earlier`; nothing for a step that may not be reused.

        Of several steps that did the same work, the one of that name comes first, and then the last.
        """
        if not may_be_reused(step):
            return None
        same = [earlier for earlier in reversed(self.steps) if earlier.does(work)]
        same.sort(key=lambda earlier: (earlier.note.version == 1, earlier.name != step.name))
        return MatchedTasks(step, same, work) if same else None

    def calls(self, name: str) -> int:
        """How many calls its step of that name has made, or had to make, as far as that is known."""
        step = next((each for each in self.steps if each.name == name), None)
        return len(step.digests) // SIZE if step is not None else 0

    def noted(self, name: str) -> StepNote | None:
        """What the run has noted of its step of that name; None where its turn never came."""
        return self._notes.get(name)

    @cached_property
    def modules(self) -> dict[str, dict[str, str]]:
        """The modules, each with what it counts by, that parts of steps consist of, by the digest of the part."""
        return read_modules(self.files.folder)

    def first_tasks(self, name: str) -> frozenset[int]:
        """The tasks of the step of that name that the run has reused by version 1 of the digests."""
        if name not in self._first_tasks:
            self._first_tasks[name] = read_first_tasks(self.files.folder, name)
        return self._first_tasks[name]

    def step(self, name: str) -> dict[str, Any]:
        """The step of that name as the plan has it; empty where it has none."""
        return next((step for step in self.plan["steps"] if step["name"] == name), {})

    @cached_property
    def results(self) -> dict[str, LogResults]:
        with open(self.files.log, "rb") as log:
            return read_results(log)


def earlier_run(reference: str, runs_dir: str) -> EarlierRun:
    """The run that `reference` means, to go on from. Raises UsageError."""
    files = find_run(reference, runs_dir)
    return open_earlier(replace(files, log=os.path.abspath(files.log)))  # calls are made in folders of their own


def open_earlier(files: RunFiles) -> EarlierRun:
    """The run in `files`, to go on from. Raises UsageError where that can't, or must not, be done."""
    if not os.path.isfile(os.path.join(files.folder, "plan.json")):
        raise UsageError(f"{files.log} is a log by itself: only a run with a folder of its own can be resumed")
    if os.stat(files.folder).st_uid != os.getuid():
        raise UsageError(f"the run {files.name} is another user's: what it has kept is not to be trusted")
    verdict = verify(files)
    if verdict.word == "TAMPERED":
        raise UsageError(f"the run {files.name} was changed since: `mprun verify {files.name}` says where")
    with open(files.log, "rb") as log:
        if is_locked(log.fileno()):
            raise UsageError(f"the run {files.name} is still at work")
        line = log.readline()
    if not line.endswith(b"\n"):
        raise UsageError(f"the run {files.name} ended before its first line: there is nothing to resume")
    return EarlierRun(files, event_of(line))


def _read_plan(files: RunFiles, sha256: str) -> dict[str, Any]:
    path = os.path.join(files.folder, "plan.json")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"the plan {path} can't be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"the plan {path} is not the one that was run: the log's head has another SHA-256")
    return json.loads(data)  # type: ignore[no-any-return]


def _cut(digests: bytes) -> Iterator[bytes]:
    return (digests[at : at + SIZE] for at in range(0, len(digests), SIZE))
