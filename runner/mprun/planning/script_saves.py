"""The statement of a generated script that writes the results of a step to a file."""

from __future__ import annotations

import os

from mprun.planning.script_library import Used
from mprun.planning.source_text import Group, call


def save_call(path: str, results: str, single: bool, used: Used) -> Group:
    """The call that writes `results`, the variable of a step with a `single` result or with many, to the file `path`,
    which is an expression whose text ends as the file does."""
    form = os.path.splitext(path.strip('"'))[1].lstrip(".")
    if form == "json":
        return call(used("save_json" if single else "save_json_list"), [path, results])
    if form == "pickle" or not single:
        return call(used(f"save_{form}"), [path, results])
    return call(used(f"save_{form}"), [path, f"{used('rows_in')}({results})"])
