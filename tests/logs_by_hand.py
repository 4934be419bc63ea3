"""Logs that are written without a run: small ones with one of each kind of event, and long ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]

TS = "2026-01-31T09:30:00.000000Z"
RUN_ID = "20260131-093000-000-00000000"


def small_run(run_id: str = RUN_ID, *, name: str = "small", tasks: int = 4) -> list[Event]:
    """The events of a run with a process that raises, a pool, and a step that is skipped; without `seq`."""
    failed = {
        "exception.type": "ValueError",
        "exception.message": "no luck",
        "exception.stacktrace": "ValueError: no luck",
    }
    steps = [
        {"step": "bad", "kind": "process", "tasks": 1},
        {"step": "pool", "kind": "pool", "tasks": tasks},
        {"step": "after", "kind": "process", "tasks": 1},
    ]
    return [
        _head(run_id, name, steps),
        _event("step.started", step="bad", kind="process", target="jobs:fail", tasks=1),
        _event("process.started", step="bad", attempt=1, pid=11),
        _event("output", step="bad", pid=11, stream="stdout", text='a "line" with ünicode \u001b[31m'),
        _event(
            "process.result",
            step="bad",
            attempt=1,
            pid=11,
            outcome="raised",
            duration=0.5,
            **failed,
            args=[1],
            kwargs={},
        ),
        _event("process.joined", step="bad", attempt=1, **_ended(11), duration=0.5),
        _event("step.finished", step="bad", kind="process", outcome="failed", tasks=1, raised=1, duration=0.5),
        _event("step.skipped", step="after", kind="process", reason="it needs `bad`, which failed"),
        _event("step.started", step="pool", kind="pool", target="jobs:square", tasks=tasks),
        _event("pool.started", step="pool", engine="local", call="map", processes=1, start_method="fork"),
        _event("worker.started", step="pool", worker=1, pid=12),
        *(returned("pool", task, task * task) for task in range(tasks)),
        _event("worker.joined", step="pool", worker=1, **_ended(12), reason="retired", tasks=tasks),
        _event("pool.joined", step="pool", duration=1.0),
        _event(
            "step.finished", step="pool", kind="pool", outcome="succeeded", tasks=tasks, returned=tasks, duration=1.0
        ),
        _event(
            "run.finished",
            outcome="failed",
            exit_code=1,
            steps=3,
            tasks=tasks + 1,
            raised=1,
            returned=tasks,
            duration=2.0,
        ),
    ]


def returned(step: str, task: int, result: Any, **more: Any) -> Event:
    """The result of a task of a pool that returned."""
    event = _event("task.result", step=step, worker=1, task=task, attempt=1, outcome="returned", result=result)
    return {**event, "duration": 0.25, "waited": 0.125, **more}


def lines_of(events: Iterable[Event], every: int = 6) -> Iterator[bytes]:
    """The lines of a whole log: numbered, sealed after every `every` lines and at the end."""
    chain = _Chain()
    for event in events:
        if chain.lines >= every:
            yield chain.seal()
        yield chain.line(event)
    yield chain.seal()


def write_run(folder: Path, events: Iterable[Event], every: int = 6) -> Path:
    """Write a finished log and its head into `folder`, which is made; the log's path."""
    folder.mkdir(parents=True)
    log = folder / "events.jsonl"
    seal = b""
    size = lines = 0
    with log.open("wb") as file:
        for seal in lines_of(events, every):
            file.write(seal)
            size, lines = size + len(seal), lines + 1
    head = {"log_format": "1.1", "bytes": size, "lines": lines, "seal": json.loads(seal)["seal"], "finished": True}
    log.with_suffix(".head").write_text(json.dumps(head) + "\n")
    return log


class _Chain:
    """Seals in the plainest way that there is."""

    def __init__(self) -> None:
        self.lines = 0
        self._seq = self._start = 0
        self._bytes = b""
        self._previous: dict[str, str] = {}

    def line(self, event: Event) -> bytes:
        line = _json({"seq": self._seq, **event})
        self._seq += 1
        self._take(line)
        return line

    def seal(self) -> bytes:
        covered = {"start": self._start, "bytes": len(self._bytes), "lines": self.lines}
        sha256 = hashlib.sha256(self._bytes).hexdigest()
        event = {"seq": self._seq, **_event("log.sealed", **covered, sha256=sha256, **self._previous)}
        seal = hashlib.sha256(_json(event)[:-2]).hexdigest()
        line = _json({**event, "seal": seal})
        self._seq += 1
        self._start += len(self._bytes)
        self._previous, self._bytes, self.lines = {"previous": seal}, b"", 0
        self._take(line)
        return line

    def _take(self, line: bytes) -> None:
        self._bytes += line
        self.lines += 1


def _json(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _event(event: str, /, **fields: Any) -> Event:
    return {"ts": TS, "event": event, **fields}


def _head(run_id: str, name: str, steps: list[Event]) -> Event:
    return _event(
        "run.started",
        log_format="1.1",
        run_id=run_id,
        name=name,
        workflow=f"/flows/{name}.yaml",
        workflow_sha256="0" * 64,
        plan_sha256="0" * 64,
        command_line=["mprun", f"{name}.yaml"],
        mprun="0.1.0",
        pid=10,
        user="somebody",
        host="here",
        platform="Linux",
        python="3.11.2",
        cpus=2,
        start_method="fork",
        steps=steps,
    )


def _ended(pid: int) -> Event:
    return {"pid": pid, "exitcode": 0, "signal": None, "cpu_time": 0.5, "max_rss": 1000000}
