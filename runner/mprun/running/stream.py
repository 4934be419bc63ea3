"""The event stream of a run: numbers each event, writes it to the log, and tells it to the other sinks."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import structlog

from mprun.events import MAX_LINE, Outcome, timestamp
from mprun.sinks.log import EventLog
from mprun.sinks.sink import Sink
from mprun.values import spelled_out

# The parent's events that are many: they may wait for the next write of the log. The others go out at once.
_FREQUENT = {"output"}


class EventStream:
    """Implements `engines.run.Events` over one log and any number of sinks."""

    def __init__(self, log: EventLog, sinks: Sequence[Sink]) -> None:
        self._log = log
        self._sinks = sinks
        self._seq = 0
        self._logger = structlog.wrap_logger(
            log, processors=[self._numbered, _as_json_line], wrapper_class=structlog.BoundLogger
        )

    def emit(self, event: str, **fields: Any) -> None:
        fields = {"ts": timestamp(time.time()), "event": event, **fields}
        self._logger.msg(**fields)
        if event not in _FREQUENT:
            self._log.flush()
        for sink in self._sinks:
            sink.event(fields)

    def emit_result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        numbered = b'{"seq":%d,%b' % (self._seq, line)
        if len(numbered) > MAX_LINE or line.find(b"\n") != len(line) - 1:
            raise AssertionError("a child's line is longer than a line of the log, or is more than one")
        self._seq += 1
        self._log.msg(numbered)
        for sink in self._sinks:
            sink.result(step, task, outcome, line)

    def emit_output(self, fields: dict[str, Any], stream: str, line: bytes) -> None:
        self.emit("output", **fields, stream=stream, text=line.decode("utf-8", "backslashreplace"))
        for sink in self._sinks:
            sink.output(fields, stream, line)

    def _numbered(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        seq, self._seq = self._seq, self._seq + 1
        return {"seq": seq, "ts": event.pop("ts"), "event": event.pop("event"), **event}


def _as_json_line(logger: Any, method: str, event: Mapping[str, Any]) -> bytes:
    return (spelled_out(json.dumps(event, ensure_ascii=False, separators=(",", ":"))) + "\n").encode()
