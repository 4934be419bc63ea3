"""What references stand for in a generated script: the variable, the element or the call that has the value there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mprun.errors.exceptions import UsageError
from mprun.language.references import Reference, Template, variable_name
from mprun.planning.eject.library import Used
from mprun.planning.show.items_code import below
from mprun.planning.show.source_text import Bare, call, flat, quoted

RUN_DIR = "RUN_DIR"
"""The script's own name for `${run.dir}`."""

CELL = {"item": "item", "matrix": "cell"}
"""What a cell, or an item, is called where each has its turn."""


class Values:
    """Writes values of a plan as code: `results` names what a step has returned, `used` takes down what is called."""

    def __init__(self, results: Callable[[str], str], used: Used) -> None:
        self._results = results
        self._used = used

    def coded(self, value: Any) -> Any:
        """`value` with code in the place of each reference, also inside lists, tuples and the values of dicts."""
        match value:
            case Reference():
                return Bare(self.reference(value))
            case Template():
                return Bare(self.text(value))
            case list() | tuple():
                return type(value)(map(self.coded, value))
            case dict():
                return {key: self.coded(item) for key, item in value.items()}
            case _:
                return value

    def reference(self, reference: Reference) -> str:
        """The expression for `reference`. Raises UsageError where it has no meaning outside a run."""
        match reference.scope, reference.path:
            case "results", (step, *path):
                return self._below(self._results(step), path)
            case "shared", (thing, *end):
                return f"shared[{quoted(thing)}]" + "".join(f"[{number}]" for number in end)
            case ("item" | "matrix") as scope, path:
                return self._of_cell(scope, path)
            case "params", (name, *_):
                return f"os.environ[{quoted(variable_name(name))}]"
            case "run", ("dir",):
                return RUN_DIR
        raise UsageError(f"`--python`: `{reference}` has a meaning only in a run")

    def text(self, value: Reference | Template, texts: Collection[str] = ()) -> str:
        """The expression for `value` as a text; of the scopes in `texts` it is known that they are texts already."""
        parts = value.parts if isinstance(value, Template) else (value,)
        return " + ".join(self._part(part, texts) for part in parts)

    def path(self, written: str | Template, folder: str) -> str:
        """The expression for the path of a file, as it is written in `folder`."""
        return quoted(below(written, folder)) if isinstance(written, str) else self.text(written)

    def _of_cell(self, scope: str, path: tuple[str, ...]) -> str:
        if scope == "item":
            return self._below(CELL["item"], list(path))
        axis, *further = path
        return self._below(f"{CELL['matrix']}[{quoted(axis)}]", further)

    def _below(self, whole: str, path: list[str]) -> str:
        return flat(call(self._used("part_of"), [whole, *map(quoted, path)])) if path else whole

    def _part(self, part: str | Reference, texts: Collection[str]) -> str:
        if isinstance(part, str):
            return quoted(part)
        code = self.reference(part)
        is_text = part.scope in ("params", "run") or (part.scope in texts and not part.path)
        return code if is_text else f"{self._used('text_of')}({code})"
