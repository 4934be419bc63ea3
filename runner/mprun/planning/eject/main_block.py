"""The main block of a generated script: for each wave, the statements that start its steps and wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mprun.plan.plan import Plan, PoolStep, ProcessStep, SharedThing, Step
from mprun.planning.eject.calls import Calls, Values
from mprun.planning.eject.names import Imports, Names
from mprun.planning.order import waves
from mprun.planning.show.source_text import INDENT, WIDTH, Code, Group, call, flat, led, lines, quoted
from mprun.sharing.kinds import MANAGED


def main_block(plan: Plan, imports: Imports, names: Names) -> str:
    """`if __name__ == "__main__":` and all that the program does, under it."""
    steps = _Steps(plan, imports, names)
    context = lines(f"context = multiprocessing.get_context({quoted(plan.start_method)})", INDENT)
    paragraphs = ["\n".join([context, *steps.shared(plan.shared)]), *map(steps.wave, waves(plan.steps)), steps.end()]
    return 'if __name__ == "__main__":\n' + "\n\n".join(text for text in paragraphs if text)


class _Steps:
    """Writes the steps of one plan; remembers which processes have not been asked yet how they ended."""

    def __init__(self, plan: Plan, imports: Imports, names: Names) -> None:
        self._names = names
        self._name = {step.name: names.claim(step.name, _suffix(step)) for step in plan.steps}
        self._shared = {thing.name: names.claim(thing.name, "_shared") for thing in plan.shared}
        variables = {("results", name): variable for name, variable in self._name.items()}
        variables |= {("shared", name): variable for name, variable in self._shared.items()}
        self._calls = Calls(plan.surroundings.working_dir, imports, Values(variables))
        self._needed = {need for step in plan.steps for need in step.needs}
        self._unasked: list[str] = []

    def shared(self, things: Iterable[SharedThing]) -> Iterator[str]:
        """What makes the things that children share."""
        if any(thing.kind in MANAGED for thing in things):
            yield lines("manager = context.Manager()", INDENT)
        yield from (lines(led(f"{self._shared[thing.name]} = ", self._calls.shared(thing)), INDENT) for thing in things)

    def wave(self, steps: list[Step]) -> str:
        """Start the processes, run the pools meanwhile, join the processes; stop where what is needed has failed."""
        processes = [step for step in steps if isinstance(step, ProcessStep)]
        joined = [step for step in processes if not step.daemon]  # multiprocessing stops the others when it exits
        self._unasked += [self._each(step) for step in joined if step.name not in self._needed]
        parts = [
            *map(self._define, processes),
            *_for_each(list(map(self._each, processes)), "start"),
            *self._pools([step for step in steps if isinstance(step, PoolStep)]),
            *_for_each(list(map(self._each, joined)), "join"),
            *_exit_if_failed([self._each(step) for step in joined if step.name in self._needed]),
        ]
        return "\n".join(parts)

    def end(self) -> str:
        """The exit code reflects the processes that nothing waited for."""
        return "\n".join(_exit_if_failed(self._unasked))

    def _define(self, step: ProcessStep) -> str:
        return lines(led(f"{self._name[step.name]} = ", self._calls.process(step)), INDENT)

    def _each(self, step: ProcessStep) -> str:
        """The processes of a step among others in a tuple."""
        return self._name[step.name] if step.cells is None else f"*{self._name[step.name]}"

    def _pools(self, steps: list[PoolStep]) -> list[str]:
        if not steps:
            return []
        body = self._one_pool(steps[0]) if len(steps) == 1 else self._pools_at_once(steps)
        return [*body, *(lines(f"print({self._name[step.name]})", INDENT) for step in steps)]

    def _one_pool(self, step: PoolStep) -> list[str]:
        result = self._calls.pool_call(step, f"pool.{_method(step)}")
        if _streams(step):
            result = call("list", [result])
        return [_with([self._calls.pool(step, "pool")]), lines(led(f"{self._name[step.name]} = ", result), 2 * INDENT)]

    def _pools_at_once(self, steps: list[PoolStep]) -> list[str]:
        """All calls are made before the first result is waited for."""
        pools = [self._names.claim(f"{self._name[step.name]}_pool", "") for step in steps]
        pending = [self._names.claim(f"{self._name[step.name]}_pending", "") for step in steps]
        calls = [
            self._calls.pool_call(step, f"{pool}.{_method(step)}{'' if _streams(step) else '_async'}")
            for step, pool in zip(steps, pools, strict=True)
        ]
        return [
            _with(list(map(self._calls.pool, steps, pools))),
            *(lines(led(f"{name} = ", code), 2 * INDENT) for name, code in zip(pending, calls, strict=True)),
            *(lines(self._wait(step, name), 2 * INDENT) for step, name in zip(steps, pending, strict=True)),
        ]

    def _wait(self, step: PoolStep, pending: str) -> str:
        return f"{self._name[step.name]} = " + (f"list({pending})" if _streams(step) else f"{pending}.get()")


def _streams(step: PoolStep) -> bool:
    """Whether its method of a Pool returns at once, and gives results as they come."""
    return step.call in ("imap", "imap_unordered")


def _method(step: PoolStep) -> str:
    """The Pool's method that gives what mprun gives: a list that another step takes is in the order of the items."""
    return "imap" if step.call == "imap_unordered" and step.keeps else step.call


def _with(contexts: list[Group]) -> str:
    one_line = f"{' ' * INDENT}with {', '.join(map(flat, contexts))}:"
    if len(contexts) == 1:
        return lines(led("with ", contexts[0]), INDENT, ":")
    return one_line if len(one_line) <= WIDTH else lines(Group("with (", tuple(contexts), "):"), INDENT)


def _suffix(step: Step) -> str:
    return "_process" if isinstance(step, ProcessStep) else "_results"


def _for_each(names: list[str], method: str) -> list[str]:
    """One statement a process; a loop where there are more than two, or a list of them."""
    if _are_few(names):
        return [lines(f"{name}.{method}()", INDENT) for name in names]
    return [lines(led("for process in ", _together(names)), INDENT, ":"), lines(f"process.{method}()", 2 * INDENT)]


def _exit_if_failed(names: list[str]) -> list[str]:
    if not names:
        return []
    failed: Code = " or ".join(f"{name}.exitcode" for name in names)
    if not _are_few(names):
        failed = _any_failed(_together(names))
    return [lines(led("if ", failed), INDENT, ":"), lines("sys.exit(1)", 2 * INDENT)]


def _any_failed(processes: Code) -> Code:
    opening = "any(process.exitcode for process in "
    if isinstance(processes, str):
        return f"{opening}{processes})"
    return Group(f"{opening}(", processes.items, "))", is_call=True)


def _are_few(names: list[str]) -> bool:
    return len(names) <= 2 and not any(name.startswith("*") for name in names)


def _together(names: list[str]) -> Code:
    """What has all these processes; a list of them alone as it is."""
    return names[0].removeprefix("*") if len(names) == 1 else Group("(", tuple(names), ")")
