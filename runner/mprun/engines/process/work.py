"""What the children of a process step get: the call of each, with the values of its references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mprun.engines.results.reuse import recaller, values_of
from mprun.engines.results.scope import scope_for
from mprun.engines.results.task_files import TaskFiles
from mprun.engines.results.tracking import contents_of
from mprun.engines.seam import Run
from mprun.engines.supply.supply import Supply
from mprun.log.codec.task_lines import ReusedLines
from mprun.plan.call_files import files_of
from mprun.plan.plan import ProcessStep, command_arguments
from mprun.worker.calls.step import ProcessWork

_NOTHING: Mapping[str, Any] = {}


class ProcessWorks:
    """Makes the work of each call of `step`. `results` stores what the calls return, where the step stores results.

    Where there are cells, `supply` has their items. Raises OSError where results can't be stored.
    """

    def __init__(self, run: Run, step: ProcessStep, supply: Supply | None = None) -> None:
        self.results = run.store.open(step) if step.keeps else None
        self._run = run
        self._step = step
        self._supply = supply or Supply()
        self._args = command_arguments(step) or step.args
        self._tracked = run.tracking.begin(step.name)
        self._contents = contents_of(self._supply)
        notes = run.tracking.file_notes
        self._files = files_of(step, notes)
        self._task_files = TaskFiles(step, self._supply, self._tracked.earlier_files, notes)

    def reuse(self, task: int, item: Any, cell: Mapping[str, Any]) -> bool:
        """Record what the call of `task` is. Where an earlier run has made it, log its result from there and return
        True.

        `cell` has the event fields that identify a cell of the step.
        """
        (number,) = self._tracked.take(task, [item], self._contents)
        if number < 0 or self._task_files.why_again(item):
            return False
        reused = recaller(self._tracked, self.results, logged=True)(task, number)
        if reused is None or self._tracked.earlier is None:
            return False
        self._task_files.carry_over(item)
        values = values_of(task, [reused])
        if self.results is not None and values is not None:
            self.results.add(values)
        about = {"event": "process.result", "step": self._step.name, **cell}
        line = ReusedLines(about, self._tracked.earlier.run_id).line(reused.recorded)
        self._run.events.emit_result(self._step.name, task, "returned", line + b"\n")
        return True

    def work(self) -> ProcessWork:
        """The work of a step's one call. Raises OSError where a result that it refers to can't be passed on."""
        return self._with(self._step.kwargs, _NOTHING)

    def of_cell(self, item: Any) -> ProcessWork:
        """The work of the cell `item`: its keyword arguments, or the value of references in its arguments."""
        if self._step.cell == "kwargs":
            return self._with(item, _NOTHING)
        return self._with(self._step.kwargs, {self._step.cell: item})

    def _with(self, kwargs: dict[str, Any], given: Mapping[str, Any]) -> ProcessWork:
        named = () if self._files is None else (self._files.inputs, self._files.outputs)
        return ProcessWork(
            target=self._step.target,
            args=self._args,
            kwargs=kwargs,
            retries=self._step.limits.retries,
            converts=self._step.converts,
            scope=scope_for(self._run, (self._args, kwargs, named), given),
            keep=None if self.results is None else self.results.files,
            decoding=self._supply.decoding,
            items_are=self._supply.items_are,
            items_from=self._supply.items_from,
            files=self._files,
        )
