"""What the child of a `call` source runs: the generator function, each of whose items goes to the parent pickled."""

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
    """The `target` of the Process: send what the function yields until it ends, or fails (reported, then SystemExit).

    The pipe is the brake: while nobody takes the items, the next send waits.
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
