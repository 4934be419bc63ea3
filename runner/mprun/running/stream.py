"""The event stream of a run. It numbers each event, writes it to the log, and passes it to the other sinks."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from mprun.log.codec.lines import closed, whole_line
from mprun.log.codec.numbering import numbered
from mprun.log.masking import Mask
from mprun.log.words import Outcome, timestamp
from mprun.log.writer import EventLog
from mprun.sinks.sink import Sink

_FOR_A_CONSOLE = ("better_exceptions", "rich", "twisted")


@contextlib.contextmanager
def _as_if_not_installed(*names: str) -> Iterator[None]:
    """Let `import NAME` raise ModuleNotFoundError inside the block, unless NAME is loaded already.

    None in `sys.modules` means just that ("The module cache" in Python's language reference).
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# structlog imports rich and better_exceptions, if installed, to draw tracebacks. A log of JSON lines doesn't need them,
# and their import takes 40 ms.
with _as_if_not_installed(*_FOR_A_CONSOLE):
    from structlog import BoundLogger, wrap_logger

# Events that are frequent wait for the next write of the log. All others are written at the end of the loop's pass.
_FREQUENT = {"output"}


class EventStream:
    """Implements `engines.seam.Events` over one log and any number of sinks. `mask` keeps secrets from both."""

    def __init__(self, log: EventLog, sinks: Sequence[Sink], mask: Mask = Mask()) -> None:  # noqa: B008 -- has no state
        self._log = log
        self._mask = mask
        self._sinks = list(sinks)
        self._seq = 0
        log.seal_line = self._seal_line
        self._logger = wrap_logger(log, processors=[self._numbered, _as_json_line], wrapper_class=BoundLogger)

    def add(self, sink: Sink) -> None:
        """Pass all events from now on to `sink` too."""
        self._sinks.append(sink)

    def emit(self, event: str, **fields: Any) -> None:
        if self._mask:
            fields = self._mask.fields(fields)
        fields = {"ts": timestamp(time.time()), "event": event, **fields}
        self._logger.msg(**fields)
        if event not in _FREQUENT:
            self._log.flush_soon()
        for sink in self._sinks:
            sink.event(fields)

    def emit_result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        line = self._masked(line)
        self._write_line(line)
        for sink in self._sinks:
            sink.result(step, task, outcome, line)

    def count(self, step: str, tasks: int) -> None:
        for sink in self._sinks:
            sink.count(step, tasks)

    def emit_line(self, line: bytes) -> None:
        self._write_line(self._masked(line))

    def emit_retry(self, step: str, task: int, line: bytes) -> None:
        self.emit_line(line)

    def _masked(self, line: bytes) -> bytes:
        return self._mask.line(line) if self._mask else line

    def _write_line(self, line: bytes) -> None:
        self._log.msg(closed(line, self._next(1)))

    def emit_run(self, step: str, first: int, lines: list[bytes]) -> None:
        if self._mask:
            lines = [self._mask.line(line) for line in lines]
        seq = self._next(len(lines))
        self._log.msg(numbered(lines, seq), len(lines))
        for sink in self._sinks:
            sink.run(step, first, lines)

    def emit_output(self, fields: dict[str, Any], stream: str, line: bytes) -> None:
        self.emit("output", **fields, stream=stream, text=line.decode("utf-8", "backslashreplace"))
        for sink in self._sinks:
            sink.output(fields, stream, line)

    def tick(self) -> None:
        for sink in self._sinks:
            sink.tick()

    def _numbered(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {"seq": self._next(1), "ts": event.pop("ts"), "event": event.pop("event"), **event}

    def _next(self, lines: int) -> int:
        """Return the number of the first of the next `lines` lines.

        A seal that is due takes its own number first. So a seal never lands between the lines of one piece, and `seq`
        stays in the order of the log.
        """
        if self._log.wants_seal(lines):
            self._log.add_seal()
        seq, self._seq = self._seq, self._seq + lines
        return seq

    def _seal_line(self, fields: Mapping[str, Any]) -> bytes:
        seq, self._seq = self._seq, self._seq + 1
        return _as_json_line(None, "", {"seq": seq, "ts": timestamp(time.time()), "event": "log.sealed", **fields})


def _as_json_line(logger: Any, method: str, event: Mapping[str, Any]) -> bytes:
    return whole_line(event)
