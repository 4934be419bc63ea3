"""`mprun repro`: repeats one call of an earlier run in this process, with the same arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from mprun.cli.options import Param, ParamsFile, RunReference, RunsDir
from mprun.cli.output import say, show
from mprun.cli.runs_dir import RUNS_DIR
from mprun.engines.inline.surroundings import surrounded
from mprun.errors.exceptions import ExitCode
from mprun.loading.prepare import prepare
from mprun.log.masking import Mask
from mprun.log.values import bounded_repr
from mprun.plan.plan import Plan, PoolStep, Step, command_arguments
from mprun.planning.bind import bind
from mprun.resuming.earlier import EarlierRun, earlier_run
from mprun.resuming.params import Options, left_out, params_as_before
from mprun.resuming.recorded import read_address, recorded_arguments, set_up
from mprun.resuming.recorded_call import changes_since, facts_of
from mprun.worker.calls.calls import Call, call, judge_stay, resolve_converting
from mprun.worker.calls.exceptions import exception_fields
from mprun.worker.calls.strict import strict_arguments


def command(
    run: RunReference,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="A task of it: `step[4]`, `step@cell`, or the name of a process.",
            show_default=False,
        ),
    ],
    param: Param = None,
    params: ParamsFile = "",
    runs_dir: RunsDir = RUNS_DIR,
    pdb: Annotated[bool, typer.Option("--pdb", help="Open the debugger where it raises.")] = False,
) -> ExitCode:
    """Repeat one recorded call in the foreground, in one process, with its arguments.

    The exit code is 1 if it raises.
    """
    earlier = earlier_run(run, runs_dir)
    inputs = params_as_before(earlier, Options(param or (), params, os.environ))
    plan = prepare(earlier.workflow, inputs)
    say(left_out(inputs, plan))
    return _repeat(earlier, plan, task, debugger=pdb)


def _repeat(run: EarlierRun, plan: Plan, task: str, *, debugger: bool) -> ExitCode:
    """Print the call as Python has it, and make it. The traceback of its exception goes to stderr.

    Raises UsageError.
    """
    mask = Mask(plan.secrets.values())
    address = read_address(task, {step.name: step for step in plan.steps}, run)
    facts = facts_of(run, address.step, address.index or 0)
    step = bind(plan, facts).step(address.step)
    if changed := changes_since(plan, step, run):
        say(f"note: this is no longer the recorded call: what has changed is {', '.join(changed)}\n")
    with surrounded(step.surroundings, ()):
        args, kwargs = recorded_arguments(run, step, address.index, facts)
        show(_masked(mask, f"{_call_text(step, args, kwargs)}\n"))
        ended = call(_call_target, (run, step, facts, args, kwargs), {}, judge_stay)
        if ended.error is not None and debugger:
            import pdb

            say(_masked(mask, _trace(ended)))
            pdb.post_mortem(ended.error.__traceback__)
    if ended.error is None:
        show(_masked(mask, f"returned {bounded_repr(ended.value)}\n"))
        return ExitCode.SUCCEEDED
    if not debugger:
        say(_masked(mask, _trace(ended)))
    return ExitCode.FAILED


def _call_target(run: Any, step: Step, facts: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if isinstance(step, PoolStep):
        set_up(step, run, facts)
        if step.command:
            from mprun.worker.command import CommandCall

            return CommandCall(command_arguments(step), step.call, None)(*args, **kwargs)
    if isinstance(step, PoolStep):
        strict = frozenset[int | str](step.kwargs)
    else:
        strict = strict_arguments(step.args, step.kwargs, {step.cell} - {"", "kwargs"})
    return resolve_converting(step.target, step.converts, strict)(*args, **kwargs)


def _call_text(step: Step, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    arguments = [*map(bounded_repr, args), *(f"{name}={bounded_repr(value)}" for name, value in kwargs.items())]
    where = step.target.module or step.target.text.rpartition(":")[0]
    return f"{where}.{step.target.qualname}({', '.join(arguments)})"


def _trace(ended: Call) -> str:
    assert ended.error is not None
    return exception_fields(ended.error)["exception.stacktrace"].rstrip("\n") + "\n"


def _masked(mask: Mask, text: str) -> str:
    return mask.output(text.encode("utf-8", "backslashreplace")).decode() if mask else text
