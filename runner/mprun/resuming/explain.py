"""Explains, before a run starts, what it would reuse from an earlier one, and why not the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mprun.engines.results.task_files import TaskFiles
from mprun.engines.results.tracking import Notes, contents_of
from mprun.engines.supply.supply import SourceSupply, Supply
from mprun.engines.table import POOL_ENGINES
from mprun.language.references import is_finals, step_of
from mprun.plan.digests import (
    CODE_PARTS,
    code_parts,
    content_digest,
    content_digests,
    may_be_reused,
    shares,
    step_parts,
)
from mprun.plan.plan import Plan, PoolStep, Step, items_of, when
from mprun.plan.trial import may_reuse
from mprun.plan.work import CodeReader, Work
from mprun.resuming.earlier import EarlierRun, MatchedTasks
from mprun.resuming.notes import StepNote

MAX_TASKS = 10  # tasks of one step that are listed one by one
MAX_NAMES = 5  # of modules that have changed
AT_ONCE = 1000  # items


@dataclass(slots=True)
class Fate:
    """What becomes of one step. `why` is for the whole of it; `tasks` are (number, why) of some that are run.

    `numbers` are those that its tasks had in `earlier`, where they are known and all are reused. `by_files`: some are
    compared as version 1 of the digests did.
    """

    step: str
    why: str = ""
    reused: int = 0
    run: int = 0
    tasks: list[tuple[int, str]] = field(default_factory=list)
    earlier: MatchedTasks | None = None
    numbers: list[int] | None = None
    by_files: bool = False

    def text(self) -> str:
        head = f"{self.step}: {self.why}" if self.why else f"{self.step}: {_counted(self.reused, self.run)}"
        lines = [
            f"{head}{_BY_FILES if self.by_files else ''}",
            *(f"  {self.step}[{number}]: {why}" for number, why in self.tasks),
        ]
        if self.run > len(self.tasks) > 0:
            lines.append(f"  … and {self.run - len(self.tasks):,} more")
        return "\n".join(lines) + "\n"


_BY_FILES = ", compared by the file of its target alone, as that run's version of mprun did"


def explanation(plan: Plan, earlier: EarlierRun) -> str:
    """A line for each step of `plan`, and below it some of the tasks that are run."""
    fates: dict[str, Fate] = {}
    code = CodeReader(plan, earlier.files.folder)
    for step in in_order_of_needs(plan):
        fates[step.name] = _fate(plan, step, earlier, fates, code)
    return "".join(fates[step.name].text() for step in plan.steps)


def in_order_of_needs(plan: Plan) -> Iterator[Step]:
    """Each step after those that it needs."""
    left = {step.name: step for step in plan.steps}
    while left:
        ready = [step for step in left.values() if not left.keys() & step.needs.keys()]
        yield from ready
        for step in ready or list(left.values()):
            del left[step.name]


def _fate(plan: Plan, step: Step, run: EarlierRun, fates: dict[str, Fate], code: CodeReader) -> Fate:
    fate = Fate(step.name)
    again: list[str] = []

    def digest_of_results(name: str) -> str:
        digest = _results_digest(fates.get(step_of(name))) if not is_finals(name) else ""
        if not digest:
            again.append(step_of(name))
        return digest

    work = code.work(step, step_parts(plan, step, digest_of_results))
    code.read(step, work)
    tasks = run.tasks(step, work)
    if not may_reuse(plan, run):
        fate.why = "run, as that run was a trial, and its files are not where this run's will be"
    elif again:
        needed = fates.get(again[0])
        why = ", of which some are made again" if needed and needed.run else ": only the run shows whether they change"
        fate.why = f"depends on the results of `{again[0]}`{why}"
    elif isinstance(step, PoolStep) and POOL_ENGINES[step.engine].makes_every_call:
        fate.why = f"its engine, `{step.engine}`, makes every call again"
    elif shares(step):
        fate.why = "run, as what it shares with other steps is new in each run"
    elif when(step):
        fate.why = "run, as the steps around a run always are"
    elif not step.reuse:
        fate.why = "run, as its `reuse` is false"
    elif not may_be_reused(step):
        fate.why = "run, as its finals come from what its workers have gathered, which are new in each run"
    elif step.inputs and (maker := _maker_of_files(plan, step, fates)):
        fate.why = f"depends on files of `{maker}`, which is run: only the run shows whether they change"
    elif tasks is None:
        fate.why = f"run, {_why_not(work, run, step.name)}"
    else:
        _sort_tasks(plan, step, tasks, run.call_files, fate)
    return fate


def _why_not(work: Work, run: EarlierRun, name: str) -> str:
    """Why no step of the earlier run did the same work."""
    note = run.noted(name)
    if note is None:
        return (
            "as that run never came to it"
            if run.step(name)
            else f"as that run, of `{run.head['name']}`, has no step of that name"
        )
    if note.changed:
        return f"as {_named(_relative(note.changed, run))} was changed while that run was at work"
    if note.version == 1:
        now = work.parts | code_parts(work.files)
    elif not note.digest:
        now = work.parts
    else:
        now = work.whole
    changed = [part for part in {**note.parts, **now} if note.parts.get(part) != now.get(part)]
    if not changed:
        files = _named(_relative(work.files_since(run.began), run))
        return f"as that run was killed before it had read its code, and {files} was changed since"
    words = (_in_words(part, note, work, run) for part in changed)
    return f"as it has changed: {', '.join(dict.fromkeys(words))}"


def _in_words(part: str, note: StepNote, work: Work, run: EarlierRun) -> str:
    """`part`, which has changed; of code, the modules that have."""
    before, now = run.modules.get(note.parts.get(part, "")), work.modules.get(part)
    if part not in CODE_PARTS.values() or before is None or now is None:
        return part
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return f"the module{'' if len(changed) == 1 else 's'} {_named(changed)}"


def _relative(files: Sequence[str], run: EarlierRun) -> list[str]:
    """`files` as seen from the folder of the workflow, where they are below it."""
    folder = os.path.join(os.path.dirname(os.path.abspath(run.workflow)), "")
    return [file.removeprefix(folder) for file in files]


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names[:MAX_NAMES])
    return listed if len(names) <= MAX_NAMES else f"{listed} and {len(names) - MAX_NAMES} more"


def _sort_tasks(plan: Plan, step: Step, tasks: MatchedTasks, files_before: Notes, fate: Fate) -> None:
    """Count the reused tasks, except those whose items only a run has."""
    source = items_of(step)
    if source is not None and source.needs_a_run:
        fate.why = "does the same work as before: it is run for those items that are new, or failed"
        return
    fate.earlier, fate.numbers = tasks, []
    logged = plan.log_tasks == "all" or not isinstance(step, PoolStep)
    for task, number, digest, files in _numbered(step, tasks, files_before):
        if number >= 0 and not files and tasks.recall(number, logged=logged, kept=step.keeps) is not None:
            fate.reused += 1
            fate.numbers.append(number)
            fate.by_files = fate.by_files or tasks.is_first(number)
            continue
        fate.run += 1
        if len(fate.tasks) < MAX_TASKS:
            fate.tasks.append((task, files if number >= 0 and files else tasks.why_run(number, digest)))


def _numbered(step: Step, tasks: MatchedTasks, files_before: Notes) -> Iterator[tuple[int, int, bytes, str]]:
    """(task, the number that it had or -1, the digest of its item, what has become of its files) for each of `step`."""
    source = items_of(step)
    if source is None:
        number = tasks.find(0, 1, lambda: content_digests([None]))[0]
        yield 0, number, content_digest(None), TaskFiles(step, Supply(), files_before).why_again(None)
        return
    supply, first = SourceSupply(source), 0
    contents, files = contents_of(supply), TaskFiles(step, supply, files_before)
    while items := supply.take(AT_ONCE):
        each: Sequence[bytes] = [content_digest(content) for content in contents(items)]
        numbers = tasks.find(first, len(items), lambda each=each: b"".join(each))  # type: ignore[misc]
        yield from zip(range(first, first + len(items)), numbers, each, map(files.why_again, items), strict=True)
        first += len(items)


def _maker_of_files(plan: Plan, step: Step, fates: dict[str, Fate]) -> str:
    """The name of a step that `step` needs, that names files for its calls to write, and that makes calls again."""
    for name in step.needs:
        fate, needed = fates.get(name), plan.step(name)
        if fate is not None and (fate.run or fate.why) and (needed.outputs or needed.stdout or needed.stderr):
            return name
    return ""


def _results_digest(fate: Fate | None) -> str:
    """The digest of the results of a step all of whose tasks are reused; empty of any other."""
    if fate is None or fate.earlier is None or fate.numbers is None or fate.run:
        return ""
    try:
        return content_digest(content_digests(map(fate.earlier.content, fate.numbers))).hex()
    except (OSError, KeyError):
        return ""


def _counted(reused: int, run: int) -> str:
    if not run:
        return "reused" if reused == 1 else f"all {reused:,} tasks reused"
    return f"{reused:,} of {reused + run:,} tasks reused" if reused + run > 1 else "run"
