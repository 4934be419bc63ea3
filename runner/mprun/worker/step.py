"""What the child of a process step runs: the step's one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mprun.targets import Target, resolve
from mprun.worker import process
from mprun.worker.calls import CODES, call, result_line
from mprun.worker.frames import RESULT, result_body
from mprun.worker.output import flush_output


def run_process(target: Target, args: Sequence[Any], kwargs: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """The `target` of the Process: resolve the step's target here, call it, tell the parent how it ended."""

    def resolved(*args: Any, **kwargs: Any) -> Any:
        return resolve(target)(*args, **kwargs)

    child = process.current
    ended = call(resolved, args, kwargs)
    flush_output()
    line = result_line({**about, "pid": child.pid}, ended, args, kwargs)
    child.send(RESULT, result_body(0, CODES[ended.outcome], line))
