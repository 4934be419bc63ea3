"""The plan: what will run, with every default applied. Frozen, comparable, printable, the same for each engine."""

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
    from mprun.sources.table import Source  # which a worker has no need to load

PLAN_FORMAT = "1.0"

Condition = Literal["succeeded", "finished", "failed"]
When = Literal["", "success", "failure", "exit"]
CellForm = Literal["", "item", "matrix", "kwargs"]
Abandoned = Literal["fail", "ignore"]
StartMethod = Literal["fork", "spawn", "forkserver"]

POOL_CALLS: tuple[PoolCall, ...] = ("apply", "map", "starmap", "imap", "imap_unordered", "matrix", "zip")
FAN_OUTS = ("foreach", "matrix", "zip")
HOOKS: dict[str, When] = {"on_success": "success", "on_failure": "failure", "on_exit": "exit"}  # by group of steps
TARGET_KEYS = ("target", "initializer", "finalizer")  # of a step, that name what it calls
CONDITIONS: tuple[Condition, ...] = ("succeeded", "finished", "failed")


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a step: times in seconds and memory in bytes, 0 for no bound.

    `timeout` is for one attempt of one call, `step_timeout` for the whole step; a call longer than `slow_after` is
    reported while it runs; `max_memory` is the resident memory of one child.
    """

    timeout: float = 0.0
    step_timeout: float = 0.0
    slow_after: float = 0.0
    max_memory: int = 0
    retries: Retries = dataclasses.field(default_factory=Retries)
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class If:
    """A step's condition: as it is written, and as it is read, with what is known before the start put in."""

    text: str
    expression: Expression

    def references(self) -> list[Reference]:
        """A value that only the run knows."""
        from mprun.language.expressions import names_in

        return [name for name in names_in(self.expression) if isinstance(name, Reference)]


@dataclass(frozen=True, slots=True)
class ProcessStep:
    """One `multiprocessing.Process(target=…, args=…, kwargs=…, daemon=…)`, or one for each of `cells`.

    `args` and `kwargs` may hold References and Templates: of the cell (`cell` says how it is given: as `${item}`, as
    `${matrix.axis}`, or by its own names as the keyword arguments), of other steps' results, of the run, of secrets.
    `max_parallel` bounds a fan-out's Processes at work at once (0: the CPUs).

    `when` is for the steps around a run: they start when all others have ended, as the run has succeeded, failed, or
    however it has ended.

    Both kinds of steps: `needs` says how each step that is needed must have ended, `condition` what else must hold;
    `surroundings` are what its children are given, the workflow's in it. `command` is a program with its arguments,
    which the target then runs; `stdout` and `stderr` are the files for its streams, relative to its folder where they
    begin with a reference. `inputs` are the files that a call reads, `outputs` those that it makes, each with whether
    it may be as before the call. `keys` labels a cell or a task: the name of a field, or a Template. `save` is the
    absolute path of a file for the results; its text may hold references of the run. `keeps`: what it returns is
    referred to by another step, or saved. `reuse`: a run may leave out what an earlier one has done of it.
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

    For `apply`, `source` has one item, `args`/`kwargs` are the call's own; for every other call `args` is empty and
    `kwargs` the same for each task. The items of `matrix` and `zip` are keyword arguments.
    `chunksize` 0 leaves the size to the engine; `maxtasksperchild` 0 never replaces a worker. `streams`: its items are
    the results of a step that it starts together with, as they come. `keeps_finals`: what its finalizers return is
    referred to by another step.
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
    """Something that children share: `kind` is multiprocessing's name of it, `args` what it is made with.

    `abandoned` says what becomes of a step whose children wait for what can't come any more: it fails, or is let be.
    """

    name: str
    kind: str
    args: tuple[Any, ...] = ()
    abandoned: Abandoned = "fail"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. `steps` stand in the order written; `needs` say what must have succeeded before a step starts.

    `surroundings` are those of the workflow file, on which each step's own rest. `included` are the other workflow
    files that steps come from, by path, with the digests of their bytes.
    `grace_period` and `timeout` (of the run) are seconds; `timeout` and `max_parallel` are 0 for no bound. `log_tasks`
    says whether each task has a line in the log, or only those that fail. `params` are the values of the parameters
    but `secrets`, for which References stand wherever they are used. `code` has, by step and by the key that names the
    target, the SHA-256 of the source file that it comes from, where targets were checked and have one: a run
    of an earlier version is compared by it. `only` and
    `first` say which part of the workflow it is: the steps and cells that were asked for, how many items (0: all).
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
    """At which stage of a run `step` starts; pools are never around it."""
    return step.when if isinstance(step, ProcessStep) else ""


def items_of(step: Step) -> Source | None:
    """Where the items of a pool, or the cells of a fan-out, come from; a single process has none."""
    return step.source if isinstance(step, PoolStep) else step.cells


def declared_tasks(step: Step) -> int | None:
    """How many tasks `step` will have; None where only a run can show it. A process counts as one task."""
    if isinstance(step, ProcessStep):
        return 1 if step.cells is None else step.cells.count()
    return step.source.count()


def has_one_result(step: Step) -> bool:
    """Whether what `step` gives is one value, and not a list with one for each task."""
    return step.cells is None if isinstance(step, ProcessStep) else step.call == "apply"


def gives_one(plan: Plan, results: str) -> bool:
    """Whether the `results` of that name are one value, and not a list; finals are a list."""
    return not is_finals(results) and has_one_result(plan.step(results))


def streamed_step(plan: Plan, step: Step) -> str:
    """The name of the step whose results `step` takes as they come; empty where it doesn't.

    The one result of a single call comes as a whole.
    """
    needed = needed_results(step) if isinstance(step, PoolStep) and step.streams else ""
    return needed if needed and not has_one_result(plan.step(needed)) else ""


def needed_results(step: Step) -> str:
    """The name of the step whose results are the items or cells of `step`, or a part of them; empty for others."""
    from mprun.sources.table import ResultsSource, whole_of

    source = items_of(step)
    whole = None if source is None else whole_of(source)
    return whole.step if isinstance(whole, ResultsSource) else ""


def shared_by(step: Step) -> list[str]:
    """The names of the shared things that the children of `step` are given, in the order in which it refers to them."""
    written = (step.args, step.kwargs, step.initargs if isinstance(step, PoolStep) else ())
    return list(dict.fromkeys(each.path[0] for each in references_in(written) if each.scope == "shared"))


def command_arguments(step: Step) -> tuple[Any, ...]:
    """What the function that runs a step's `command` is called with; nothing for other steps."""
    if not step.command:
        return ()
    return (step.command, step.stdout, step.stderr) if step.stdout or step.stderr else (step.command,)


def called(step: Step) -> str:
    """What `step` calls, as people write it: the target, or the command with what is quoted where it has to be."""
    return command_text(step.command) if step.command else step.target.text


def command_text(command: tuple[Any, ...]) -> str:
    """A command on one line, as one types it; what is still to come as the reference that stands for it."""
    return " ".join(shlex.quote(part) if not part or _NEEDS_QUOTES.search(part) else part for part in map(str, command))


_NEEDS_QUOTES = re.compile(r"[\s'\"\\;&|<>()*?]")


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON data: what `mprun plan --json` prints and what is kept beside a run's log."""
    return {"plan_format": PLAN_FORMAT, **as_data(plan)}


def as_data(value: Any) -> Any:
    """Dataclasses as mappings of their fields; what is still to come as the text that was written for it; of secrets
    the names."""
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
    """`plan_document` as text with a stable order of keys."""
    return json.dumps(plan_document(plan), ensure_ascii=False, indent=2) + "\n"


def plan_sha256(plan: Plan) -> str:
    return hashlib.sha256(plan_json(plan).encode("utf-8", "surrogatepass")).hexdigest()
