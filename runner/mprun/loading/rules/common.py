"""Rules and helpers over the data as parsed. Each rule is a pure function that yields its own mistakes only."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from mprun.engines.table import POOL_ENGINES, USUAL_ENGINE, EngineTraits
from mprun.errors.places import Path
from mprun.format.levels import ITEMS, POOL, STEP_GROUPS, WORKFLOW
from mprun.format.values import read_duration
from mprun.format.workflow import is_extension
from mprun.language.references import Reference, Template, references_in
from mprun.loading.mistakes import Mistake, is_number, short
from mprun.loading.suggestions import did_you_mean, meant, suggest, suggest_key
from mprun.plan.plan import POOL_CALLS, If
from mprun.sources.table import KEYS

Data = dict[Any, Any]

_NO_ITEMS = ("apply", "matrix", "zip")

_MAX_NAMES = 200  # the most names that a suggestion compares; each comparison costs, and mistakes can be many


class StepData(NamedTuple):
    """One step as parsed. `entry` is its mapping, right or wrong."""

    name: str
    path: Path
    entry: Data


def steps(data: Data) -> list[StepData]:
    """Return every step that is a mapping, in the order written."""
    found = []
    for group in STEP_GROUPS:
        entries = data.get(group)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                found.append(StepData(name, (group, name), entry))
    return found


def engine_of(pool: StepData, data: Data) -> tuple[str, EngineTraits]:
    """Return the engine of a pool and its traits; the usual engine if the text names none."""
    written = pool.entry.get("engine", data.get("engine"))
    name = written if isinstance(written, str) and written in POOL_ENGINES else USUAL_ENGINE
    return name, POOL_ENGINES[name]


def seconds(value: Any) -> float | None:
    """Return a duration as written in seconds; None if it isn't one."""
    try:
        return read_duration(value)
    except ValueError:
        return None


def some_step(data: Data) -> Iterator[Mistake]:
    """A file has at least one step, in a group whose name is right or nearly right, or includes other files."""
    written = {key: value for key, value in data.items() if not is_extension(key)}
    groups = meant(written, WORKFLOW) & {"processes", "pools"}
    if written.get("include"):
        return
    if not groups:
        yield Mistake("no-steps", "the workflow has no steps", (), "key", "add `processes:` or `pools:`")
    elif all(data.get(group) == {} for group in groups):
        yield Mistake("no-steps", f"the workflow has no steps: `{min(groups)}` is empty", (min(groups),), "key")


def target_or_command(data: Data) -> Iterator[Mistake]:
    """A step calls a target or runs a command, but not both."""
    for step in steps(data):
        level = STEP_GROUPS[str(step.path[0])]
        if not meant(step.entry, level) & {"target", "command"}:
            what = f"the {level.name.split()[-1]} `{short(step.name)}` has no `target`"
            advice = "add `target:`, which takes text such as `module:function`"
            yield Mistake("missing-key", what, step.path, "key", advice)
        elif "target" in step.entry and "command" in step.entry:
            message = "a step calls a `target` or runs a `command`, not both"
            path = (*step.path, "command")
            yield Mistake("target-and-command", message, path, "key", first=(*step.path, "target"))


def one_call(data: Data) -> Iterator[Mistake]:
    """A pool has exactly one call, and a source that is a mapping has exactly one key."""
    calls = f"one of {', '.join(f'`{call}`' for call in POOL_CALLS)}"
    for step in steps({"pools": data.get("pools")}):
        written = [call for call in step.entry if call in POOL_CALLS]
        for call in written[1:]:
            message = f"a pool has one call: `{written[0]}` is here already, `{call}` too"
            yield Mistake("two-calls", message, (*step.path, call), "key", first=(*step.path, written[0]))
        if not meant(step.entry, POOL) & set(POOL_CALLS):
            yield Mistake("no-call", f"the pool `{short(step.name)}` has no call", step.path, "key", f"add {calls}")
        for call in written:
            yield from _one_source(step.entry[call], (*step.path, call)) if call not in _NO_ITEMS else ()


def _one_source(source: Any, path: Path) -> Iterator[Mistake]:
    if not isinstance(source, dict):
        return
    written = [key for key in source if key in KEYS]
    for key in written[1:]:
        message = f"items come from one source: `{written[0]}` is here already, `{key}` too"
        yield Mistake("two-sources", message, (*path, key), "key", first=(*path, written[0]))
    if not meant(source, ITEMS) & KEYS.keys():
        advice = f"add one of {', '.join(f'`{each}`' for each in KEYS)}"
        yield Mistake("no-source", f"`{path[-1]}` has no source of items", path, "key", advice)


def unique_names(data: Data) -> Iterator[Mistake]:
    """All steps share one set of names."""
    first: dict[Any, Path] = {}
    for group in STEP_GROUPS:
        entries = data.get(group)
        for name in entries if isinstance(entries, dict) else ():
            path = (group, name)
            if name in first:
                kinds = f"a step of `{first[name][0]}` and one of `{group}`"
                message = f"`{short(name)}` names {kinds}; each step has its own name"
                yield Mistake("duplicate-name", message, path, "key", first=first[name])
            first.setdefault(name, path)


def known_needs(data: Data) -> Iterator[Mistake]:
    """`needs` names other steps, and none that never succeeds."""
    names = _step_names(data)
    close = [name for name in islice(names, _MAX_NAMES) if isinstance(name, str)]
    daemons = {step.name for step in steps({"processes": data.get("processes")}) if step.entry.get("daemon") is True}
    for step in steps(data):
        for need, path in needs_of(step):
            if need == step.name:
                yield Mistake("cycle", f"`{short(need)}` needs itself", path)
            elif need not in names:
                yield _unknown_step(need, path, [name for name in close if name != step.name])
            elif need in daemons:
                message = f"`{short(need)}` is a daemon: it never succeeds, so `{short(step.name)}` would never start"
                yield Mistake("needs-daemon", message, path)


def _unknown_step(need: str, path: Path, others: list[str]) -> Mistake:
    advice = did_you_mean(suggest(need, others))
    notes = () if advice else _list_of_names(others)
    return Mistake("unknown-step", f"there is no step `{short(need)}`", path, advice=advice, notes=notes)


def _list_of_names(names: list[str]) -> tuple[str, ...]:
    shown = ", ".join(sorted(names)[:12]) + (", …" if len(names) > 12 else "")
    return (f"the other steps are: {shown}",) if names else ("the workflow has no other step",)


def _step_names(data: Data) -> dict[Any, None]:
    """Return all names, also those below a misspelt `processes` or `pools`, which will be right when that is."""
    groups = [
        value
        for key, value in data.items()
        if key in STEP_GROUPS or (key not in WORKFLOW.keys and suggest_key(key, WORKFLOW) in STEP_GROUPS)
    ]
    return {name: None for group in groups if isinstance(group, dict) for name in group}


def needs_of(step: StepData) -> Iterator[tuple[str, Path]]:
    """Yield the steps that `step` waits for, each with the path that says so.

    These are the steps in `needs`, and those whose results it refers to.
    """
    needs = step.entry.get("needs")
    path = (*step.path, "needs")
    if isinstance(needs, str) and needs:
        yield needs, path
    for index, need in enumerate(needs) if isinstance(needs, list) else ():
        if isinstance(need, str) and need:
            yield need, (*path, index)
    for need in needs if isinstance(needs, dict) else ():
        if isinstance(need, str) and need:
            yield need, (*path, need)
    yield from ((reference.path[0], path) for reference, path in results_in(step.entry, step.path))


def results_in(value: Any, path: Path) -> Iterator[tuple[Reference, Path]]:
    """Yield each reference to results in `value`, which stands at `path`, with the path of the reference."""
    if isinstance(value, Reference | Template | If):
        yield from ((reference, path) for reference in references_in(value) if reference.scope == "results")
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        if isinstance(item, Reference | Template | If | list | dict):
            yield from results_in(item, (*path, key))


def no_cycles(data: Data) -> Iterator[Mistake]:
    """Steps don't wait for one another in a circle. There is one mistake per circle, shown as a path."""
    all_steps = {step.name: step for step in steps(data)}
    needs = {
        name: {need: path for need, path in needs_of(step) if need in all_steps and need != name}
        for name, step in all_steps.items()
    }
    for circle in _circles(needs):
        path = needs[circle[-2]][circle[-1]]
        yield Mistake("cycle", f"these steps wait for one another: {_arrows(circle)}", path)


def _circles(needs: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield each way back to a step that is still being followed, as [a, b, …, a]. Iterative, as chains can be long."""
    finished: set[str] = set()
    for start, its_needs in needs.items():
        trail = {} if start in finished else {start: iter(its_needs)}
        while trail:
            last = next(reversed(trail))
            need = next(trail[last], None)
            if need is None:
                finished.add(last)
                del trail[last]
            elif need in trail:
                names = list(trail)
                yield [*names[names.index(need) :], need]
            elif need not in finished:
                trail[need] = iter(needs[need])


def _arrows(names: list[str]) -> str:
    shown = names if len(names) <= 10 else [*names[:6], "…", *names[-3:]]
    return " → ".join(short(name) for name in shown)


def same_numbers(data: Data, written: Callable[[Path], str], substituted: Container[Path]) -> Iterator[Mistake]:
    """A number in `env` that would arrive in another spelling (`1.10` as `1.1`) needs quotes."""
    for path, env in [
        (("env",), data.get("env")),
        *(((*step.path, "env"), step.entry.get("env")) for step in steps(data)),
    ]:
        for name, value in env.items() if isinstance(env, dict) else ():
            text = written((*path, name)) if is_number(value) and (*path, name) not in substituted else str(value)
            if text != str(value):
                message = f"`{short(name)}` would arrive as `{value}`, because `{short(text)}` is read as a number"
                yield Mistake("changed-number", message, (*path, name), advice="put it in quotes")


DATA_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    target_or_command,
    one_call,
    unique_names,
    known_needs,
    no_cycles,
)
