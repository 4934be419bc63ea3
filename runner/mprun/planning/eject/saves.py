"""The statement of a generated script that writes the results of a step to a file."""

from __future__ import annotations

import os

from mprun.language.references import Template
from mprun.planning.eject.library import Used
from mprun.planning.show.source_text import Group, call


def save_call(save: str | Template, path: str, results: str, single: bool, used: Used) -> Group:
    """The call that writes `results`, the variable of a step with a `single` result or with many, to the file `save`,
    for which `path` is the expression."""
    form = os.path.splitext(str(save))[1].lstrip(".")
    if form == "json":
        return call(used("save_json" if single else "save_json_list"), [path, results])
    if form == "pickle" or not single:
        return call(used(f"save_{form}"), [path, results])
    return call(used(f"save_{form}"), [path, f"{used('rows_in')}({results})"])
