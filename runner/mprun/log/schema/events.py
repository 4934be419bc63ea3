"""The events of a log, one model each: the source of `schemas/event.schema.json`.

An event lacks a key that has no value, with one exception: what a child measures of itself, and what only a run can
show, is null if it isn't known. The models describe every event of this format version completely. A reader of logs
should still accept unknown keys and events, because a newer minor version may add some.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

from mprun.engines.table import POOL_ENGINES, InlineEngine, PoolEngine
from mprun.format.schema import draft07
from mprun.log.words import Outcome
from mprun.plan.child_spec import PoolCall
from mprun.plan.plan import StartMethod

_ENGINES = ", ".join(traits.described for traits in POOL_ENGINES.values())
_TIMESTAMP = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
_SHA256 = r"^[0-9a-f]{64}$"

Absent = SkipJsonSchema[None]  # the key may be missing; it is never null

Count = Annotated[int, Field(ge=0)]

# Named as in OpenTelemetry.
ExceptionType = Annotated[str, Field(description="The exception's class, with its module.")]
ExceptionMessage = Annotated[str, Field(description="Its message, bounded.")]
ExceptionStacktrace = Annotated[
    str, Field(description="Its traceback without mprun's own frames; of a long one, the innermost are kept.")
]

Kind = Annotated[Literal["process", "pool"], Field(description="What the step declares.")]
RunId = Annotated[str, Field(pattern=r"^[\w-]+$")]
Pid = Annotated[int, Field(ge=1, description="The child's process id.")]
Seconds = Annotated[float, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=_SHA256)]
Step = Annotated[str, Field(description="The step's name in the workflow.")]
Cell = Annotated[str, Field(description="What the cell of a fan-out is called: `fetch@north` is the cell `north`.")]
Key = Annotated[
    str, Field(description="What the task is called by its pool's `keys`; left out where these lead nowhere.")
]
Task = Annotated[int, Field(ge=0, description="The index in its step, from 0: of a pool's task, of a fan-out's cell.")]
Timestamp = Annotated[str, Field(pattern=_TIMESTAMP)]
NotSaved = Annotated[str, Field(description="The file of its `save`, absolute, which this run has not written.")]
OldFile = Annotated[
    str, Field(pattern=_TIMESTAMP, description="A file from before the run lies there: when that was last changed.")
]
Worker = Annotated[int, Field(ge=1, description="The worker's number in its pool, from 1, in the order of starting.")]


class Closed(BaseModel):
    """The base of everything in a log: no other keys than those declared."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Event(Closed):
    """The base of every event."""

    seq: Count = Field(description="The line's number: 0, 1, 2 … in the order written, without gaps.")
    ts: Timestamp = Field(description="When it happened: RFC 3339 in UTC with microseconds; not always rising.")


# -- the run


class DeclaredStep(Closed):
    """A step that the log has to account for."""

    step: Step
    kind: Kind
    tasks: Count | None = Field(description="How many tasks it has; null where only the run can show.")
    when: Literal["success", "failure", "exit"] | Absent = Field(
        default=None, description="Where it is run after all others: as these have succeeded, failed, or in any case."
    )


class RunStarted(Event):
    """The head of the log: what runs, where, by whom, and what the log must account for."""

    event: Literal["run.started"]
    log_format: str = Field(pattern=r"^\d+\.\d+$", description="The version of this format: major.minor.")
    run_id: str = Field(description="The run's id; ids sort by time.")
    resumes: RunId | Absent = Field(default=None, description="The earlier run that it resumes.")
    name: str = Field(description="The workflow's name.")
    workflow: str = Field(description="The workflow file, absolute.")
    workflow_sha256: Sha256 = Field(description="SHA-256 of the workflow file's bytes.")
    included: dict[str, Sha256] | Absent = Field(
        default=None, description="The other workflow files that steps come from, with the SHA-256 of their bytes."
    )
    plan_sha256: Sha256 = Field(description="SHA-256 of the plan's JSON, the file plan.json beside the log.")
    trial: str | Absent = Field(
        default=None,
        description="Where the files of a trial (`--first`, `--only STEP@CELL`) are, which leaves the real ones alone.",
    )
    params: dict[str, Any] | Absent = Field(
        default=None, description="The values of the workflow's parameters but secret ones."
    )
    command_line: list[str] = Field(description="How mprun was called.")
    mprun: str = Field(description="The version of mprun.")
    pid: int = Field(ge=1, description="mprun's own process id.")
    user: str = Field(description="The name of the user who ran it, or the number where there is no name.")
    host: str = Field(description="The machine's name.")
    platform: str = Field(description="Operating system and architecture.")
    python: str = Field(description="The version of Python.")
    cpus: int = Field(ge=1, description="The CPUs that the run may use: its affinity and its cgroup's quota.")
    start_method: StartMethod = Field(description="How multiprocessing starts children.")
    git_commit: str | Absent = Field(
        default=None, description="The commit of the workflow's repository, if it has one."
    )
    git_dirty: bool | Absent = Field(default=None, description="Whether tracked files differ from that commit.")
    steps: list[DeclaredStep] = Field(description="Every declared step, in the order written.")


class Counts(Event):
    """How many tasks ended with which outcome; an outcome without tasks is missing."""

    tasks: Count = Field(description="How many results there are: the sum of the counts by outcome.")
    returned: Count | Absent = Field(default=None, description="Tasks that returned.")
    raised: Count | Absent = Field(default=None, description="Tasks that raised an exception.")
    lost: Count | Absent = Field(default=None, description="Tasks whose child ended without saying how.")
    timed_out: Count | Absent = Field(default=None, description="Tasks that took longer than their timeout.")
    cancelled: Count | Absent = Field(default=None, description="Tasks that were stopped, or never begun.")
    unpicklable: Count | Absent = Field(default=None, description="Tasks whose argument or result can't be pickled.")
    reused_tasks: Count | Absent = Field(
        default=None,
        description="Tasks that returned in an earlier run and were not called again; they are in `returned`.",
    )


class RunFinished(Counts):
    """How the whole run ended: exactly one, and the last event before the seal."""

    event: Literal["run.finished"]
    outcome: Literal["succeeded", "failed", "interrupted"] = Field(description="How the run ended.")
    exit_code: Literal[0, 1, 130, 143] = Field(description="The exit code of the command.")
    steps: Count = Field(description="How many steps were declared.")
    duration: Seconds = Field(description="Seconds from the run's start.")


class SignalReceived(Event):
    """A signal asked mprun to stop."""

    event: Literal["signal.received"]
    signal: str = Field(description="The signal's name, such as SIGINT.")


class StopRequested(Event):
    """mprun ends the run before its time. Each phase is logged once."""

    event: Literal["stop.requested"]
    phase: Literal["draining", "terminating", "killing"] = Field(
        description="What is done: nothing new begins, children have SIGTERM, or children have SIGKILL."
    )
    why: str = Field(description="What asked for it.")


class LogSealed(Event):
    """The bytes of the log since the last seal, with their hash. A finished log ends with a seal.

    The line of a seal is the first one that the next seal covers.
    """

    event: Literal["log.sealed"]
    start: Count = Field(description="The offset in the log of the first byte that it covers: of the last seal's line.")
    bytes: Count = Field(description="How many bytes it covers: up to its own line.")
    lines: Count = Field(description="How many lines they are.")
    sha256: Sha256 = Field(description="The SHA-256 of these bytes.")
    previous: Sha256 | Absent = Field(default=None, description="The `seal` of the last seal; the first one has none.")
    seal: Sha256 = Field(description='The SHA-256 of this line up to `,"seal":`, which stands for the log so far.')


# -- steps


class StepStarted(Event):
    """A step begins: what it needs has ended as it asks, or streams."""

    event: Literal["step.started"]
    step: Step
    kind: Kind
    target: str = Field(description="What is called, as written in the workflow.")
    tasks: Count | None = Field(description="How many tasks it has; null where only the run can show.")


class StepFinished(Counts):
    """A step has ended, and each of its tasks has its result."""

    event: Literal["step.finished"]
    step: Step
    kind: Kind
    outcome: Literal["succeeded", "failed", "cancelled"] = Field(description="What its tasks add up to.")
    error: str | Absent = Field(default=None, description="What went wrong with the step as a whole.")
    duration: Seconds = Field(description="Seconds from the step's start.")
    failures_received: dict[str, int] | Absent = Field(
        default=None,
        description="How many failed entries of other steps' results it was given as None, by the name of these.",
    )
    not_saved: NotSaved | Absent = None
    old_file: OldFile | Absent = None


class StepSkipped(Event):
    """A step never started."""

    event: Literal["step.skipped"]
    step: Step
    kind: Kind
    reason: str = Field(
        description="Why: what it needs didn't end as it asks, its `if` is false, or the run was stopped."
    )
    not_saved: NotSaved | Absent = None
    old_file: OldFile | Absent = None


# -- children


class Ended(Event):
    """How a child ended and what it used."""

    pid: Pid
    exitcode: int = Field(description="As multiprocessing gives it: negative where a signal ended the child.")
    signal: str | None = Field(description="That signal's name, null where it wasn't one.")
    cpu_time: Seconds | None = Field(description="Seconds of CPU it used, null where it died before it reported them.")
    max_rss: Count | None = Field(description="Its peak memory in bytes, null where it died before it reported it.")


class ProcessStarted(Event):
    """The Process of a process step was started; each attempt has one."""

    event: Literal["process.started"]
    step: Step
    task: Task | Absent = None
    cell: Cell | Absent = None
    attempt: int = Field(ge=1, description="Which attempt this is, from 1.")
    pid: Pid


class ProcessJoined(Ended):
    """The Process of a process step has ended and was joined."""

    event: Literal["process.joined"]
    step: Step
    task: Task | Absent = None
    cell: Cell | Absent = None
    attempt: int = Field(ge=1, description="Which attempt this is, from 1.")
    duration: Seconds = Field(description="Seconds from the Process's start.")


class ProcessSuspended(Event):
    """Somebody has suspended a process (usually by SIGSTOP). The run waits for it."""

    event: Literal["process.suspended"]
    step: Step
    task: Task | Absent = None
    cell: Cell | Absent = None
    attempt: int = Field(ge=1, description="Which attempt it is at, from 1.")
    pid: Pid


class ProcessContinued(Event):
    """A suspended process continues."""

    event: Literal["process.continued"]
    step: Step
    task: Task | Absent = None
    cell: Cell | Absent = None
    attempt: int = Field(ge=1, description="Which attempt it is at, from 1.")
    pid: Pid


class PoolStarted(Event):
    """The Pool of a pool step is being started."""

    event: Literal["pool.started"]
    step: Step
    engine: PoolEngine | InlineEngine = Field(description=f"What runs it: {_ENGINES}, or mprun's own process.")
    call: PoolCall = Field(description="The Pool's method that is called.")
    processes: int = Field(ge=1, description="How many workers it keeps.")
    start_method: StartMethod = Field(description="How its workers are started.")
    finalizer: str | Absent = Field(
        default=None, description="What each worker calls at its end, as written in the workflow."
    )


class PoolJoined(Event):
    """All workers of the Pool are joined."""

    event: Literal["pool.joined"]
    step: Step
    duration: Seconds = Field(description="Seconds from the Pool's start.")


class WorkerStarted(Event):
    """A worker of a pool was started."""

    event: Literal["worker.started"]
    step: Step
    worker: Worker
    pid: Pid


class WorkerUnready(Event):
    """A worker could not be set up: importing the target, or the initializer, raised."""

    event: Literal["worker.unready"]
    step: Step
    worker: Worker
    pid: Pid
    exception_type: ExceptionType = Field(alias="exception.type")
    exception_message: ExceptionMessage = Field(alias="exception.message")
    exception_stacktrace: ExceptionStacktrace = Field(alias="exception.stacktrace")


class WorkerSuspended(Event):
    """Somebody has suspended a worker (usually by SIGSTOP). Its running task waits."""

    event: Literal["worker.suspended"]
    step: Step
    worker: Worker
    pid: Pid


class WorkerContinued(Event):
    """A suspended worker continues."""

    event: Literal["worker.continued"]
    step: Step
    worker: Worker
    pid: Pid


class WorkerJoined(Ended):
    """A worker has ended and was joined."""

    event: Literal["worker.joined"]
    step: Step
    worker: Worker
    reason: Literal["retired", "unready", "stopped", "died"] = Field(
        description="Why: no work left for it, it could not be set up, mprun ended it, or it ended by itself."
    )
    tasks: Count = Field(description="How many results came from it.")


class SourceStarted(Event):
    """The child that calls the generator function of a pool's items was started."""

    event: Literal["source.started"]
    step: Step
    target: str = Field(description="The generator function, as written in the workflow.")
    pid: Pid


class SourceSuspended(Event):
    """Somebody has suspended the child that yields a pool's items (usually by SIGSTOP). The pool waits for it."""

    event: Literal["source.suspended"]
    step: Step
    pid: Pid


class SourceContinued(Event):
    """The suspended child that yields a pool's items continues."""

    event: Literal["source.continued"]
    step: Step
    pid: Pid


class SourceJoined(Ended):
    """The child that yielded a pool's items has ended and was joined."""

    event: Literal["source.joined"]
    step: Step
    items: Count = Field(description="How many items came from it.")
    duration: Seconds = Field(description="Seconds from its start.")


class SaveStarted(Event):
    """The child that writes a step's results to a file was started. The step has no other children left."""

    event: Literal["save.started"]
    step: Step
    path: str = Field(description="The file, absolute.")
    pid: Pid


class SaveSuspended(Event):
    """Somebody has suspended the child that writes a step's results (usually by SIGSTOP). The run waits for it."""

    event: Literal["save.suspended"]
    step: Step
    pid: Pid


class SaveContinued(Event):
    """The suspended child that writes a step's results continues."""

    event: Literal["save.continued"]
    step: Step
    pid: Pid


class ResultsSaved(Event):
    """A step's results are in their file: all of them or, with `continue_on_error`, those of the tasks that
    returned."""

    event: Literal["results.saved"]
    step: Step
    path: str = Field(description="The file, absolute.")
    in_place_of: str | Absent = Field(
        default=None,
        description="The file that a trial (`--first`, `--only STEP@CELL`) leaves alone by writing this one.",
    )
    format: Literal["json", "jsonl", "csv", "pickle"] = Field(description="What it holds, by its ending.")
    size: Count = Field(description="Its bytes.")
    sha256: Sha256 = Field(description="SHA-256 of its bytes.")
    failed: list[Task] | Absent = Field(
        default=None,
        description="The tasks that failed, up to 1,000: the file has null (a pickle None) for each, a csv no row.",
    )
    failed_count: int | Absent = Field(default=None, ge=1, description="How many tasks failed.")


class SaveJoined(Ended):
    """The child that writes a step's results has ended and was joined."""

    event: Literal["save.joined"]
    step: Step
    duration: Seconds = Field(description="Seconds from its start.")


class Output(Event):
    """A line that a child wrote. A very long line comes in pieces."""

    event: Literal["output"]
    step: Step
    worker: Worker | Absent = None
    pid: Pid
    task: Task | Absent = Field(default=None, description="The task that printed it, where that is certain.")
    cell: Cell | Absent = None
    attempt: int | Absent = Field(default=None, ge=1, description="At which attempt, of the process or of that task.")
    stream: Literal["stdout", "stderr"] = Field(description="Where it was written.")
    text: str = Field(description="The line without its end; bytes that are not UTF-8 as \\xNN.")


# -- what children share

Thing = Annotated[str, Field(description="The thing's name in the workflow.")]
ThingKind = Annotated[str, Field(description="What it is, by multiprocessing's name.")]


class SharedMade(Event):
    """A thing that children share was made: the first child that needs it is about to start."""

    event: Literal["shared.made"]
    name: Thing
    kind: ThingKind
    used_by: list[str] = Field(description="The steps whose children are given it.")


class SharedFreed(Event):
    """The last step that uses the thing has ended. The totals don't include the waits of killed children."""

    event: Literal["shared.freed"]
    name: Thing
    kind: ThingKind
    taken: Count | Absent = Field(default=None, description="How often its locks were taken.")
    puts: Count | Absent = Field(default=None, description="How many objects were put into it.")
    gets: Count | Absent = Field(default=None, description="How many objects were got from it.")
    waits: Count | Absent = Field(
        default=None, description="How often a child has waited for it, where it had to and without a bound."
    )
    waited: Seconds = Field(description="Seconds that children have so waited for it, added up.")


class SharedDepth(Event):
    """The number of objects in a queue, checked about once a second and logged when it has changed."""

    event: Literal["shared.depth"]
    name: Thing
    depth: Count = Field(description="How many were put and not got.")


class SharedEnded(Event):
    """A queue has ended: no process is left that could put anything into it, and loops over it end."""

    event: Literal["shared.ended"]
    name: Thing


class SharedOrphaned(Event):
    """A child ended while it held a shared thing."""

    event: Literal["shared.orphaned"]
    step: Step
    worker: Worker | Absent = None
    pid: Pid
    names: list[str] = Field(description="The things whose locks it held.")


class Waiting(Closed):
    """A child that waits for something that can't come."""

    step: Step
    worker: Worker | Absent = None
    pid: Pid
    waits_for: str = Field(description="The thing that it waits for.")
    stack: str = Field(description="Where its Python code is; empty where it didn't answer.")


class SharedAbandoned(Event):
    """Children wait for something that only they themselves could bring about. Their steps are ended, and fail."""

    event: Literal["shared.abandoned"]
    steps: list[str] = Field(description="The steps that are ended.")
    reason: str = Field(description="Who waits for what, and why it can't come.")
    waiting: list[Waiting] = Field(description="The children that wait, as far as there is room for them.")


# -- calls: of a process, of a task, of a finalizer


class Call(Event):
    """How a call of the user's ended. Its keys depend on its outcome: see `_OF_OUTCOME`."""

    step: Step
    outcome: Outcome = Field(description="How it ended.")
    duration: Seconds | Absent = Field(default=None, description="Seconds that it took; it began so long before `ts`.")
    result: Any = Field(
        default=None, description="What it returned, as JSON; what JSON lacks is an object with one `$…` key."
    )
    what: Literal["argument", "result"] | Absent = Field(default=None, description="What can't be pickled.")
    exception_type: ExceptionType | Absent = Field(default=None, alias="exception.type")
    exception_message: ExceptionMessage | Absent = Field(default=None, alias="exception.message")
    exception_stacktrace: ExceptionStacktrace | Absent = Field(default=None, alias="exception.stacktrace")
    reason: str | Absent = Field(default=None, description="Its outcome, which its child could not report.")
    cancelled_by: str | Absent = Field(default=None, description="What asked for it to be stopped, or not to begin.")
    exitcode: int | Absent = Field(default=None, description="Its child's exit code, negative where by a signal.")
    signal: str | None = Field(default=None, description="That signal's name, null where it wasn't one.")
    oom_killer: Literal[True] | Absent = Field(
        default=None, description="The kernel's out-of-memory killer was at work as the child died."
    )


class Attempt(Call):
    """One attempt of a call."""

    attempt: int = Field(ge=1, description="Which attempt this was, from 1.")
    args: Any = Field(
        default=None, description="The positional arguments, bounded; left out where the line would be too long."
    )
    kwargs: Any = Field(
        default=None, description="The keyword arguments, bounded; left out where the line would be too long."
    )
    reused: RunId | Absent = Field(
        default=None, description="The earlier run whose result this is; the call was not made again."
    )


_EXCEPTION = ("exception.type", "exception.message", "exception.stacktrace")
_CHILDS_END = ("exitcode", "signal")

# By outcome, the keys that a call has, and the keys that it may have.
_OF_OUTCOME: dict[Outcome, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "returned": (("result", "duration"), ("reused",)),
    "raised": ((*_EXCEPTION, "duration"), ("args", "kwargs")),
    "unpicklable": ((*_EXCEPTION, "duration", "what"), ("args", "kwargs")),
    "lost": (("reason",), (*_CHILDS_END, "oom_killer")),
    "timed_out": (("reason",), _CHILDS_END),
    "cancelled": (("cancelled_by",), _CHILDS_END),
}


def _conditions() -> dict[str, Any]:
    """Return `_OF_OUTCOME` as conditions of a JSON Schema."""
    every = {key for has, may_have in _OF_OUTCOME.values() for key in (*has, *may_have)}
    return {
        "allOf": [
            {
                "if": {"properties": {"outcome": {"const": outcome}}},
                "then": {
                    "required": list(has),
                    "properties": dict.fromkeys(sorted(every.difference(has, may_have)), False),
                },
            }
            for outcome, (has, may_have) in _OF_OUTCOME.items()
        ]
    }


class ProcessAttempt(Attempt):
    """One attempt of the call of a process step."""

    model_config = ConfigDict(json_schema_extra=_conditions())

    task: Task | Absent = None
    cell: Cell | Absent = None
    pid: Pid | Absent = None


class ProcessResult(ProcessAttempt):
    """How the call of a process step ended. A process that could not be started has no `pid`."""

    event: Literal["process.result"]


class ProcessRetried(ProcessAttempt):
    """How an attempt ended that is followed by another attempt."""

    event: Literal["process.retried"]
    retry_in: Seconds = Field(description="Seconds until the next attempt.")


class ProcessSlow(Event):
    """A call has run for longer than `slow_after`."""

    event: Literal["process.slow"]
    step: Step
    task: Task | Absent = None
    cell: Cell | Absent = None
    attempt: int = Field(ge=1, description="Which attempt this is, from 1.")
    pid: Pid
    running_for: Seconds = Field(description="Seconds that it has been at work.")
    stack: str = Field(description="Where its Python code is; empty where it didn't answer.")


class TaskAttempt(Attempt):
    """One attempt of a task."""

    model_config = ConfigDict(json_schema_extra=_conditions())

    task: Task
    key: Key | Absent = None
    worker: Worker | Absent = None
    pid: Pid | Absent = None
    waited: Seconds | Absent = Field(default=None, description="Seconds from when the task was sent to when it began.")


class TaskResult(TaskAttempt):
    """How one task of a pool ended: one for each task. A task that no worker took has no `worker`."""

    event: Literal["task.result"]


class TaskRetried(TaskAttempt):
    """How an attempt ended that is followed by another attempt."""

    event: Literal["task.retried"]
    retry_in: Seconds = Field(description="Seconds until the next attempt.")


class TaskSlow(Event):
    """A task has run for longer than `slow_after`."""

    event: Literal["task.slow"]
    step: Step
    worker: Worker
    pid: Pid
    task: Task
    running_for: Seconds = Field(description="Seconds that it has been at work.")
    stack: str = Field(description="Where its Python code is; empty where it didn't answer.")


class WorkerFinalized(Call):
    """How the finalizer of a worker ended: one for each worker that was set up, if the pool has a finalizer.

    A finalizer that was never called has no `duration`: what its worker had gathered is lost.
    """

    model_config = ConfigDict(json_schema_extra=_conditions())

    event: Literal["worker.finalized"]
    worker: Worker
    pid: Pid


class TasksCounted(Event):
    """Tasks in a row that returned, where only failures have events of their own."""

    event: Literal["tasks.counted"]
    step: Step
    first: Count = Field(description="The index of the first of them.")
    last: Count = Field(description="The index of the last of them.")
    returned: Count = Field(description="How many there are.")
    reused: RunId | Absent = Field(default=None, description="The earlier run that made these calls.")


class AnyEvent(RootModel[Any]):
    """One line of `events.jsonl`."""

    root: Annotated[
        RunStarted
        | StepStarted
        | StepFinished
        | StepSkipped
        | ProcessStarted
        | ProcessSlow
        | ProcessSuspended
        | ProcessContinued
        | ProcessRetried
        | ProcessResult
        | ProcessJoined
        | PoolStarted
        | PoolJoined
        | WorkerStarted
        | WorkerUnready
        | WorkerSuspended
        | WorkerContinued
        | WorkerFinalized
        | WorkerJoined
        | TaskSlow
        | TaskRetried
        | TaskResult
        | TasksCounted
        | SharedMade
        | SharedFreed
        | SharedDepth
        | SharedEnded
        | SharedOrphaned
        | SharedAbandoned
        | SourceStarted
        | SourceSuspended
        | SourceContinued
        | SourceJoined
        | SaveStarted
        | SaveSuspended
        | SaveContinued
        | ResultsSaved
        | SaveJoined
        | Output
        | SignalReceived
        | StopRequested
        | LogSealed
        | RunFinished,
        Field(discriminator="event"),
    ]


def event_schema() -> dict[str, Any]:
    """Return the schema of one event as JSON data."""
    schema = draft07(AnyEvent.model_json_schema())
    del schema["discriminator"]  # OpenAPI's word, not JSON Schema's
    for definition in schema["definitions"].values():
        for key in definition["properties"].values():
            key.pop("default", None)  # a missing key has no value, so no default either
            key.pop("title", None)
            # Only `event` has no description of its own: it chooses the model.
            key.setdefault("description", definition["description"])
    return {**schema, "title": "An event of an mprun log"}
