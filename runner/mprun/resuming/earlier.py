"""What an earlier run has done, read from its folder: its plan, its notes of its work, its log, its results."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mprun.engines.results.tracking import STEPS, EarlierValue, Reused
from mprun.errors.exceptions import UsageError
from mprun.log.codec.event import Event, event_of
from mprun.log.codec.recorded import RecordedResults
from mprun.log.codec.task_lines import NOT_RECORDED
from mprun.log.reading.lock import is_locked
from mprun.log.verifying.verify import verify
from mprun.plan.digests import SIZE, Parts, content_digests, is_written, may_be_reused
from mprun.plan.plan import Step, as_data, items_of
from mprun.results.files import Place, Reader, ResultFiles, read_places
from mprun.resuming.log_results import NOT_LOGGED, LogResults, read_results
from mprun.resuming.plan_sources import written_source
from mprun.runs.find import RunFiles, find_run


class EarlierStep:
    """What a run has of one of its steps. `parts` are what the work of its tasks was, part by part."""

    def __init__(self, run: EarlierRun, name: str, digest: str, parts: Parts) -> None:
        self.run_id = run.run_id
        self.name = name
        self.digest = digest
        self.parts = parts
        self._run = run
        self._lines = RecordedResults(run.files.log)
        self._files = ResultFiles(os.path.join(run.files.folder, "results"), name)
        self._values = Reader(self._files)

    @cached_property
    def results(self) -> LogResults:
        return self._run.results.get(self.name, LogResults())

    @property
    def document(self) -> dict[str, Any]:
        """The step as its run's plan has it."""
        return self._run.step(self.name)

    def returned(self, number: int) -> bool:
        """Whether the task with that number has returned."""
        return self.results.has(number)

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
        written = written_source(source)
        if written is not None:
            return content_digests(written.items())
        try:
            data = Path(self._run.files.folder, "digests", f"{self.name}.tasks").read_bytes()
        except OSError:
            return b""
        return data[: len(data) // SIZE * SIZE]


class MatchedTasks:
    """The tasks of a step that have their equals among those of an earlier one, which does the same work."""

    def __init__(self, step: Step, earlier: EarlierStep) -> None:
        self.run_id = earlier.run_id
        self.earlier = earlier
        self.recall = earlier.recall
        source = items_of(step)
        written = earlier.document.get("source") or earlier.document.get("cells")
        self._same_items = source is None or (is_written(source) and _plain(source) == written)

    def find(self, first: int, count: int, digests: Callable[[], bytes]) -> Sequence[int]:
        """See `EarlierTasks`."""
        has = self.earlier.returned
        if self._same_items:
            return [task if has(task) else -1 for task in range(first, first + count)]
        return [self._number(task, digest) for task, digest in enumerate(_cut(digests()), first)]

    def _number(self, task: int, digest: bytes) -> int:
        """Where it stood: mostly where it stands now."""
        here = self.earlier.digests[task * SIZE : (task + 1) * SIZE]
        if here == digest and self.earlier.returned(task):
            return task
        return self._by_digest.get(digest, -1)

    @cached_property
    def _by_digest(self) -> dict[bytes, int]:
        return {digest: task for task, digest in enumerate(_cut(self.earlier.digests)) if self.earlier.returned(task)}


class EarlierRun:
    """A run that another one resumes: see `engines.results.tracking.Earlier`."""

    def __init__(self, files: RunFiles, head: Event) -> None:
        self.files = files
        self.head = head
        self.run_id = str(head["run_id"])
        self.plan = _read_plan(files, str(head.get("plan_sha256")))
        self.steps = list(self._read_steps())

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

    def tasks(self, step: Step, digest: str) -> MatchedTasks | None:
        """See `Earlier`; nothing for a step that shares something with others, or has a finalizer.

        Of several steps that did the same work, the one of that name, or the last.
        """
        if not may_be_reused(step):
            return None
        same = [earlier for earlier in self.steps if earlier.digest == digest]
        named = [earlier for earlier in same if earlier.name == step.name] or same
        return MatchedTasks(step, named[-1]) if named else None

    def step(self, name: str) -> dict[str, Any]:
        """The step of that name as the plan has it; empty where it has none."""
        return next((step for step in self.plan["steps"] if step["name"] == name), {})

    @cached_property
    def results(self) -> dict[str, LogResults]:
        with open(self.files.log, "rb") as log:
            return read_results(log)

    def _read_steps(self) -> Iterator[EarlierStep]:
        with contextlib.suppress(FileNotFoundError), open(Path(self.files.folder, "digests", STEPS), "rb") as lines:
            for line in lines:
                with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):  # a crash may have torn it
                    fields = json.loads(line)
                    yield EarlierStep(self, fields["step"], fields["digest"], dict(fields["parts"]))


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


def _plain(value: Any) -> Any:
    """As it would be read from the plan's file."""
    return json.loads(json.dumps(as_data(value)))


def _cut(digests: bytes) -> Iterator[bytes]:
    return (digests[at : at + SIZE] for at in range(0, len(digests), SIZE))
