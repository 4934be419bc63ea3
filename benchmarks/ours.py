"""mprun at the same work: a plan made by hand, run in this process, its log in a real file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import START_METHOD
from mprun.language.targets import Target, parse_target
from mprun.log.writer import open_log
from mprun.plan.child_spec import LogTasks, PoolCall, Surroundings
from mprun.plan.plan import Plan, PoolStep, ProcessStep, SharedThing, StartMethod, Step
from mprun.results.files import read_own
from mprun.running.run import run_plan
from mprun.sources.table import ListSource, RangeSource, Source

ROOT = str(Path(__file__).parent.parent)
AROUND = Surroundings({}, ROOT, (ROOT,))


@dataclass(frozen=True)
class Logged:
    """A run's log while it exists."""

    path: Path

    def results(self, of: str = "task") -> Iterator[dict[str, Any]]:
        """The results of the tasks, or of the Processes, in the order written."""
        with self.path.open("rb") as lines:
            for line in lines:
                event = json.loads(line)
                if event["event"] == f"{of}.result":
                    yield event

    def value_of(self, step: str) -> Any:
        """What the Process of `step` returned."""
        return next(event["result"] for event in self.results("process") if event["step"] == step)

    def large_values(self, step: str) -> Iterator[Any]:
        """What the tasks of `step` returned, of those whose values have files of their own."""
        for path in (self.path.parent / "results" / step).iterdir():
            yield read_own(str(path))


def pool(
    function: str,
    source: Source | list[Any] | int,
    workers: int,
    *,
    call: PoolCall = "map",
    chunksize: int = 0,
    keeps: bool = False,
    module: str = "work",
    kwargs: dict[str, Any] | None = None,
    initializer: str = "",
    finalizer: str = "",
) -> PoolStep:
    if isinstance(source, int):
        source = RangeSource(0, source, 1)
    elif isinstance(source, list):
        source = ListSource(tuple(source))
    return PoolStep(
        function,
        _target(module, function),
        call,
        source,
        (),
        kwargs or {},
        workers,
        chunksize,
        _target(module, initializer) if initializer else None,
        (),
        0,
        "local",
        {},
        AROUND,
        keeps=keeps,
        finalizer=_target(module, finalizer) if finalizer else None,
        keeps_finals=bool(finalizer),
    )


def process(
    name: str, function: str, *, module: str = "work", args: tuple[Any, ...] = (), needs: str = ""
) -> ProcessStep:
    return ProcessStep(name, _target(module, function), args, {}, False, {needs: "succeeded"} if needs else {}, AROUND)


def _target(module: str, function: str) -> Target:
    return parse_target(f"benchmarks.{module}:{function}", ROOT)


@contextmanager
def ran(
    *steps: Step,
    log_tasks: LogTasks = "all",
    max_parallel: int = 0,
    start_method: StartMethod = START_METHOD,
    shared: Sequence[SharedThing] = (),
) -> Iterator[Logged]:
    """Run the steps to their end; the log is there until the context is left. Fails where a step doesn't succeed."""
    plan = Plan(
        name="benchmark",
        description="",
        workflow=os.path.join(ROOT, "benchmark.yaml"),
        workflow_sha256="0" * 64,
        start_method=start_method,
        grace_period=5.0,
        surroundings=AROUND,
        steps=steps,
        max_parallel=max_parallel,
        log_tasks=log_tasks,
        shared=tuple(shared),
    )
    with tempfile.TemporaryDirectory(prefix="mprun-benchmark-") as folder:
        log = Path(folder, "events.jsonl")
        end = run_plan(plan, "benchmark", open_log(str(log)), [], _log_error, folder=folder)
        if end.outcome != "succeeded":
            raise RuntimeError(f"mprun's run {end.outcome}: {_first_failure(Logged(log))}")
        yield Logged(log)


def _first_failure(log: Logged) -> str:
    return next((str(result) for result in log.results() if result["outcome"] != "returned"), "no task did")


def _log_error(reason: str) -> None:
    raise RuntimeError(f"the log can't be written: {reason}")


@dataclass(frozen=True, slots=True)
class ArraySource:
    """`number` numpy arrays of `size` bytes, each its own object, made as they are asked for."""

    number: int
    size: int
    kind: str = field(default="arrays")

    def count(self) -> int | None:
        return self.number

    def items(self) -> Iterator[Any]:
        return iter(arrays(self.number, self.size))

    def sequence(self) -> list[Any] | None:
        return None

    def decoding(self) -> None:
        """Its items are what the target is given."""


def arrays(number: int, size: int) -> list[Any]:
    """Views of one buffer: distinct objects, so that pickle has to copy each, at the memory of one."""
    import numpy

    buffer = numpy.zeros(size, dtype=numpy.uint8)
    return [buffer[:] for _ in range(number)]
