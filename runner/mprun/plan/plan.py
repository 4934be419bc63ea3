"""The plan: what will run, with every default applied.

It is frozen, comparable, printable, and the same for each engine.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mprun.language.references import SCALARS, Reference, Template, is_finals, references_in
from mprun.language.targets import Target
from mprun.log.masking import Secrets
from mprun.plan.child_spec import Converts, LogTasks, PoolCall, Retries, Surroundings

if TYPE_CHECKING:
    from mprun.language.expressions import Expression
    from mprun.sources.table import Source  # a worker need not import it

PLAN_FORMAT = "1.0"

Condition = Literal["succeeded", "finished", "failed"]
When = Literal["", "success", "failure", "exit"]
CellForm = Literal["", "item", "matrix", "kwargs"]
Abandoned = Literal["fail", "ignore"]
StartMethod = Literal["fork", "spawn", "forkserver"]

POOL_CALLS: tuple[PoolCall, ...] = ("apply", "map", "starmap", "imap", "imap_unordered", "matrix", "zip")
FAN_OUTS = ("foreach", "matrix", "zip")
# The stage of each group of steps.
HOOKS: dict[str, When] = {"on_success": "success", "on_failure": "failure", "on_exit": "exit"}
TARGET_KEYS = ("target", "initializer", "finalizer")  # the keys of a step that name what it calls
CONDITIONS: tuple[Condition, ...] = ("succeeded", "finished", "failed")


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a step: times in seconds and memory in bytes, 0 for no bound.

    `timeout` is for one attempt of one call, `step_timeout` for the whole step. A call longer than `slow_after` is
    reported while it runs. `max_memory` is the resident memory of one child.
    """

    timeout: float = 0.0
    step_timeout: float = 0.0
    slow_after: float = 0.0
    max_memory: int = 0
    retries: Retries = dataclasses.field(default_factory=Retries)
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class If:
    """A step's condition: `text` as written, and `expression` as parsed, with values known before the start put in."""

    text: str
    expression: Expression

    def references(self) -> list[Reference]:
        """Return the references to values that only the run knows."""
        from mprun.language.expressions import names_in

        return [name for name in names_in(self.expression) if isinstance(name, Reference)]


@dataclass(frozen=True, slots=True)
class ProcessStep:
    """One `multiprocessing.Process(target=…, args=…, kwargs=…, daemon=…)`, or one for each of `cells`.

    `args` and `kwargs` may hold References and Templates: of the cell, of other steps' results, of the run, of secrets.
    `cell` says how the cell is passed: as `${item}`, as `${matrix.axis}`, or as keyword arguments by its own names.
    `max_parallel` bounds the running Processes of a fan-out (0: the CPUs).

    `when` is for the steps around a run. They start when all others have ended: if the run has succeeded, if it has
    failed, or in any case.

    The following holds for both kinds of steps. `needs` says how each needed step must have ended, `condition` what
    else must hold. `surroundings` are what children get, including the workflow's. `command` is a program with its
    arguments, which the target then runs; `stdout` and `stderr` are the files for its streams, relative to its folder
    if they begin with a reference. `inputs` are the files that a call reads, `outputs` those that it makes, each with
    whether it may be as before the call. `keys` labels a cell or a task: the name of a field, or a Template. `save` is
    the absolute path of a file for the results; its text may hold references of the run. `keeps`: another step refers
    to the results, or they are saved. `reuse`: a run may reuse the results of an earlier run.
    """

    name: str
    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    daemon: bool
    needs: dict[str, Condition]
    surroundings: Surroundings
    limits: Limits = Limits()
    kind: str = "process"
    cells: Source | None = None
    cell: CellForm = ""
    max_parallel: int = 0
    command: tuple[Any, ...] = ()
    stdout: str | Reference | Template = ""
    stderr: str | Reference | Template = ""
    inputs: tuple[str | Reference | Template, ...] = ()
    outputs: tuple[tuple[str | Reference | Template, bool], ...] = ()
    keys: str | Reference | Template = ""
    save: str | Template = ""
    converts: Converts = ""
    keeps: bool = False
    condition: If | None = None
    when: When = ""
    reuse: bool = True


@dataclass(frozen=True, slots=True)
class PoolStep:
    """One `multiprocessing.Pool(processes=…)` and one call of it.

    For `apply`, `source` has one item, and `args` and `kwargs` are the call's own. For every other call, `args` is
    empty and `kwargs` are the same for each task. The items of `matrix` and `zip` are keyword arguments.

    `chunksize` 0 leaves the size to the engine; `maxtasksperchild` 0 never replaces a worker. `streams`: the items are
    the results of a step that starts together with this one. `keeps_finals`: another step refers to what the finalizers
    return.
    """

    name: str
    target: Target
    call: PoolCall
    source: Source
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    processes: int
    chunksize: int
    initializer: Target | None
    initargs: tuple[Any, ...]
    maxtasksperchild: int
    engine: str
    needs: dict[str, Condition]
    surroundings: Surroundings
    limits: Limits = Limits()
    kind: str = "pool"
    command: tuple[Any, ...] = ()
    stdout: str | Reference | Template = ""
    stderr: str | Reference | Template = ""
    inputs: tuple[str | Reference | Template, ...] = ()
    outputs: tuple[tuple[str | Reference | Template, bool], ...] = ()
    keys: str | Reference | Template = ""
    save: str | Template = ""
    converts: Converts = ""
    keeps: bool = False
    streams: bool = False
    condition: If | None = None
    finalizer: Target | None = None
    keeps_finals: bool = False
    reuse: bool = True


Step = ProcessStep | PoolStep


@dataclass(frozen=True, slots=True)
class SharedThing:
    """A thing that children share: `kind` is multiprocessing's name for it, `args` are its arguments.

    `abandoned` says what happens to a step whose children wait for what can't come any more: it fails, or nothing
    happens. `converts` says whether the call that makes it converts its arguments.
    """

    name: str
    kind: str
    args: tuple[Any, ...] = ()
    abandoned: Abandoned = "fail"
    converts: Converts = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. `steps` are in the order written.

    - `surroundings`: those of the workflow file, on which each step's own are based
    - `included`: the other workflow files that steps come from, by path, with the digests of their bytes
    - `grace_period`, `timeout` (of the run): seconds; 0 for `timeout` and `max_parallel` means no bound
    - `log_tasks`: whether the log has a line for each task, or only for those that fail
    - `params`: the values of all parameters but `secrets`, for which References stand wherever they are used
    - `code`: by step and by the key that names the target, the SHA-256 of its source file, if the check found one; for
      a comparison with runs of earlier versions
    - `only`, `first`: which part of the workflow it is: the requested steps and cells, the number of items (0: all)
    """

    name: str
    description: str
    workflow: str
    workflow_sha256: str
    start_method: StartMethod
    grace_period: float
    surroundings: Surroundings
    steps: tuple[Step, ...]
    timeout: float = 0.0
    max_parallel: int = 0
    fail_fast: bool = False
    log_tasks: LogTasks = "all"
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    secrets: Secrets = dataclasses.field(default_factory=Secrets)
    included: dict[str, str] = dataclasses.field(default_factory=dict)
    code: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    only: tuple[str, ...] = ()
    first: int = 0
    shared: tuple[SharedThing, ...] = ()

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def when(step: Step) -> When:
    """Return the stage of a run in which `step` starts. Pools are always in the ordinary stage."""
    return step.when if isinstance(step, ProcessStep) else ""


def items_of(step: Step) -> Source | None:
    """Return the source of a pool's items or of a fan-out's cells; None for a single process."""
    return step.source if isinstance(step, PoolStep) else step.cells


def declared_tasks(step: Step) -> int | None:
    """Return how many tasks `step` will have; None if only a run can show it. A process counts as one task."""
    if isinstance(step, ProcessStep):
        return 1 if step.cells is None else step.cells.count()
    return step.source.count()


def has_one_result(step: Step) -> bool:
    """Return whether `step` has one result, and not a list with one result for each task."""
    return step.cells is None if isinstance(step, ProcessStep) else step.call == "apply"


def gives_one(plan: Plan, results: str) -> bool:
    """Return whether `results` are one value, and not a list. Finals are a list."""
    return not is_finals(results) and has_one_result(plan.step(results))


def streamed_step(plan: Plan, step: Step) -> str:
    """Return the name of the step whose results `step` takes while that step runs; empty if there is none.

    The one result of a single call comes as a whole.
    """
    needed = needed_results(step) if isinstance(step, PoolStep) and step.streams else ""
    return needed if needed and not has_one_result(plan.step(needed)) else ""


def needed_results(step: Step) -> str:
    """Return the name of the step whose results are (in part) the items or cells of `step`; empty for others."""
    from mprun.sources.table import ResultsSource, whole_of

    source = items_of(step)
    whole = None if source is None else whole_of(source)
    return whole.step if isinstance(whole, ResultsSource) else ""


def shared_by(step: Step) -> list[str]:
    """Return the names of the shared things that the children of `step` get, in the order of the references."""
    written = (step.args, step.kwargs, step.initargs if isinstance(step, PoolStep) else ())
    return list(dict.fromkeys(each.path[0] for each in references_in(written) if each.scope == "shared"))


def command_arguments(step: Step) -> tuple[Any, ...]:
    """Return the arguments of the function that runs a step's `command`; empty for other steps."""
    if not step.command:
        return ()
    return (step.command, step.stdout, step.stderr) if step.stdout or step.stderr else (step.command,)


def called(step: Step) -> str:
    """Return what `step` calls, for people: the target, or the command with quotes where they are needed."""
    return command_text(step.command) if step.command else step.target.text


def command_text(command: tuple[Any, ...]) -> str:
    """Return a command on one line as one types it. A value that is still to come appears as its reference."""
    return " ".join(shlex.quote(part) if not part or _NEEDS_QUOTES.search(part) else part for part in map(str, command))


_NEEDS_QUOTES = re.compile(r"[\s'\"\\;&|<>()*?]")


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON data: what `mprun plan --json` prints, and what is stored beside a run's log."""
    return {"plan_format": PLAN_FORMAT, **as_data(plan)}


def as_data(value: Any) -> Any:
    """Return dataclasses as mappings, references as the text that was written, and of secrets only the names."""
    if type(value) in SCALARS:
        return value
    if isinstance(value, Reference | Template):
        return {"$reference": str(value)}
    if isinstance(value, Secrets):
        return sorted(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_data(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    return {key: as_data(item) for key, item in value.items()} if isinstance(value, dict) else value


def plan_json(plan: Plan) -> str:
    """Return `plan_document` as text with a stable order of keys."""
    return json.dumps(plan_document(plan), ensure_ascii=False, indent=2) + "\n"


def plan_sha256(plan: Plan) -> str:
    return hashlib.sha256(plan_json(plan).encode("utf-8", "surrogatepass")).hexdigest()
