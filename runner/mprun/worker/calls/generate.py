"""What the child of a `call` source runs: a generator function, whose items it sends to the parent as pickles."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

from mprun.language.targets import Target
from mprun.worker.boot import process
from mprun.worker.calls.calls import resolve_strict
from mprun.worker.calls.exceptions import exception_fields
from mprun.worker.wire.frames import FAILED, ITEM
from mprun.worker.wire.output import flush_output


def generate(target: Target, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Send what the generator function yields until it ends or fails. This is the `target` of the Process.

    A failure is reported, then raised as SystemExit. The pipe gives back-pressure: while the parent reads no items, the
    next send waits.
    """
    child = process.current
    try:
        function = resolve_strict(target)
        for item in function(*args, **kwargs):
            flush_output()
            child.send(ITEM, pickle.dumps(item, pickle.HIGHEST_PROTOCOL))
    except BaseException as error:  # noqa: BLE001 -- the user's code; reported to the parent whatever it is
        flush_output()
        fields = exception_fields(error)
        fields = {"error": f"{fields['exception.type']}: {fields['exception.message']}", **fields}
        child.send(FAILED, json.dumps(fields).encode())
        raise SystemExit(1) from None
