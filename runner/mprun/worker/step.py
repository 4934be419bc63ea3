"""What the child of a process step runs: the step's one call."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from mprun.plan import Converts, Retries
from mprun.targets import Target
from mprun.worker import process
from mprun.worker.again import Again
from mprun.worker.calls import CODES, call, resolve_converting, result_line
from mprun.worker.frames import AGAIN, RESULT, again_body, result_body
from mprun.worker.output import flush_output


def run_process(
    target: Target,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    about: Mapping[str, Any],
    retries: Retries,
    converts: Converts = "",
) -> None:
    """The `target` of the Process: resolve the step's target here, call it, tell the parent how it ended.

    `about` are the fields of the result event that the parent knows: `step`, `attempt`.
    """
    child = process.current
    about = {**about, "pid": child.pid}
    ended = call(resolve_converting, (target, converts), {})
    if ended.error is None:
        child.board.begin(0, time.monotonic_ns())
        ended = call(ended.value, args, kwargs)
    flush_output()
    code = CODES[ended.outcome]
    delay = Again(retries).delay(about["attempt"], ended.outcome, ended.error) if ended.error else None
    if delay is None:
        line = result_line({"event": "process.result", **about}, ended, args, kwargs)
        child.send(RESULT, result_body(0, code, line))
    else:
        line = result_line({"event": "process.retried", **about, "retry_in": round(delay, 6)}, ended, args, kwargs)
        child.send(AGAIN, again_body(0, code, delay, line))
