"""The files of a command's streams: where one that a call has written is gone, the call is made again."""

from __future__ import annotations

import os
from typing import Any

from mprun.engines.results.plain_items import plain_loader
from mprun.engines.supply.supply import Supply
from mprun.errors.exceptions import ItemError
from mprun.language.references import written_out
from mprun.plan.plan import Step
from mprun.worker.calls.scope import Scope


class StreamFiles:
    """Those of the calls of `step`, whose items come from `supply`."""

    def __init__(self, step: Step, supply: Supply) -> None:
        self._paths = [path for path in (step.stdout, step.stderr) if path]
        self._folder = step.surroundings.working_dir
        self._load = plain_loader(supply)

    def missing(self, item: Any) -> str:
        """A file that the call for `item` has to leave and that isn't there, or whose name only a worker can tell;
        empty where there is none."""
        for path in self._paths:
            try:
                named = self._named(path, item)
            except (ItemError, LookupError, OSError, EOFError):
                return str(path)
            if not os.path.isfile(os.path.join(self._folder, named)):
                return named
        return ""

    def _named(self, path: Any, item: Any) -> str:
        if isinstance(path, str):
            return path
        plain = self._load(item)
        named = Scope(given={"item": plain, "matrix": plain}).evaluate(path)
        return os.fspath(named) if isinstance(named, os.PathLike) else written_out(named)
