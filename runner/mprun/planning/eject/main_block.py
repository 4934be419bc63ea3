"""The main block of a generated script: for each wave, the statements that start its steps and wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mprun.language.references import finals_of, references_in, step_of
from mprun.plan.plan import Plan, PoolStep, ProcessStep, Step, has_one_result, needed_results
from mprun.planning.eject.calls import Calls, method_of
from mprun.planning.eject.library import Used
from mprun.planning.eject.names import Imports, Names
from mprun.planning.eject.saves import save_call
from mprun.planning.eject.shared import SharedThings
from mprun.planning.order import waves
from mprun.planning.show.source_text import INDENT, WIDTH, Code, Group, call, flat, led, lines, quoted


def main_block(plan: Plan, imports: Imports, names: Names, used: Used) -> str:
    """`if __name__ == "__main__":` and all that the program does, under it."""
    steps = _Steps(plan, imports, names, used)
    context = lines(f"context = multiprocessing.get_context({quoted(plan.start_method)})", INDENT)
    paragraphs = ["\n".join([context, *steps.shared.statements()]), *map(steps.wave, waves(plan.steps)), steps.end()]
    return 'if __name__ == "__main__":\n' + "\n\n".join(text for text in paragraphs if text)


class _Steps:
    """Writes the steps of one plan; remembers which processes have not been asked yet how they ended."""

    def __init__(self, plan: Plan, imports: Imports, names: Names, used: Used) -> None:
        self._names = names
        self._used = used
        self._folder = plan.surroundings.working_dir
        self._name = {step.name: names.claim(step.name, _suffix(step)) for step in plan.steps}
        self._pool_names = {step.name for step in plan.steps if isinstance(step, PoolStep)}
        self._folders: dict[str, str] = {}  # of the finals of pools
        for step in plan.steps:
            if isinstance(step, PoolStep) and step.finalizer:
                self._name[finals_of(step.name)] = names.claim(step.name, "_finals")
                self._folders[step.name] = names.claim(step.name, "_folder")
        self.shared = SharedThings(plan, imports, used)
        self._calls = Calls(self._folder, imports, self._result, used, self.shared.ending)
        self._returning = returning(plan.steps)
        self._needed = {need for step in plan.steps for need in step.needs} | self._returning
        self._daemons = [self._name[step.name] for step in _processes(plan.steps) if step.daemon]
        self._unasked: list[str] = []

    def wave(self, steps: list[Step]) -> str:
        """Start the processes, run the pools meanwhile, join the processes; stop where what is needed has failed."""
        processes = _processes(steps)
        joined = [step for step in processes if not step.daemon]
        needed = [self._name[step.name] for step in joined if step.name in self._needed]
        self._unasked += [self._name[step.name] for step in joined if step.name not in self._needed]
        parts = [
            *map(self._define, processes),
            *_for_each([self._name[step.name] for step in processes], "start"),
            *self._pools([step for step in steps if isinstance(step, PoolStep)]),
            *_for_each([self._name[step.name] for step in joined], "join"),
            *_exit_if_failed(needed),
            *(self._save(step) for step in steps if step.save),
        ]
        return "\n".join(parts)

    def end(self) -> str:
        """Stop the daemons; the exit code tells of the processes that nothing waited for."""
        stop = [*_for_each(self._daemons, "terminate"), *_for_each(self._daemons, "join")]
        return "\n".join([*stop, *_exit_if_failed(self._unasked)])

    def _define(self, step: ProcessStep) -> str:
        process = self._calls.process(step, step.name in self._returning)
        return lines(led(f"{self._name[step.name]} = ", process), INDENT)

    def _save(self, step: Step) -> str:
        path = self._calls.values.path(step.save, self._folder)
        code = save_call(step.save, path, self._result(step.name), has_one_result(step), self._used)
        return lines(code, INDENT)

    def _result(self, step: str) -> str:
        """What has the results, or the finals, of that name."""
        return self._name[step] if step_of(step) in self._pool_names else f"{self._name[step]}.result"

    def _pools(self, steps: list[PoolStep]) -> list[str]:
        if not steps:
            return []
        body = self._one_pool(steps[0]) if len(steps) == 1 else self._pools_at_once(steps)
        return [*body, *(f"{' ' * INDENT}print({self._name[step.name]})" for step in steps)]

    def _one_pool(self, step: PoolStep) -> list[str]:
        result = self._calls.pool_call(step, f"pool.{method_of(step)}")
        if step.call in ("imap", "imap_unordered"):
            result = call("list", [result])
        return [
            _with(self._entered(step, "pool")),
            lines(led(f"{self._name[step.name]} = ", result), 2 * INDENT),
            *self._finals(step, "pool"),
        ]

    def _entered(self, step: PoolStep, pool: str) -> list[Group]:
        """The contexts that the pool called `pool` needs: its own, and before it the folder of its finals."""
        folder = self._folders.get(step.name, "")
        folders = [call("tempfile.TemporaryDirectory", [], f") as {folder}")] if folder else []
        return [*folders, self._calls.pool(step, pool, folder)]

    def _finals(self, step: PoolStep, pool: str) -> list[str]:
        """The statement that lets the workers of the pool called `pool` end, where they have something to give."""
        if step.finalizer is None:
            return []
        finals = call("finals_of", [pool, self._folders[step.name]])
        return [lines(led(f"{self._name[finals_of(step.name)]} = ", finals), 2 * INDENT)]

    def _pools_at_once(self, steps: list[PoolStep]) -> list[str]:
        """All calls are made before the first result is waited for."""
        pools = [self._names.claim(f"{self._name[step.name]}_pool", "") for step in steps]
        pending = [self._names.claim(f"{self._name[step.name]}_pending", "") for step in steps]
        pairs = list(zip(steps, pools, strict=True))
        calls = [self._calls.pool_call(step, f"{pool}.{_not_waiting(step)}") for step, pool in pairs]
        return [
            _with([entered for step, pool in pairs for entered in self._entered(step, pool)]),
            *(lines(led(f"{name} = ", code), 2 * INDENT) for name, code in zip(pending, calls, strict=True)),
            *(lines(self._wait(step, name), 2 * INDENT) for step, name in zip(steps, pending, strict=True)),
            *(line for step, pool in pairs for line in self._finals(step, pool)),
        ]

    def _wait(self, step: PoolStep, pending: str) -> str:
        streams = step.call in ("imap", "imap_unordered")
        return f"{self._name[step.name]} = " + (f"list({pending})" if streams else f"{pending}.get()")


def returning(steps: Iterable[Step]) -> set[str]:
    """The names of the processes whose results are asked for: by another step, or to be saved."""
    steps = list(steps)
    asked = {name for step in steps for name in _taken(step)} | {step.name for step in steps if step.save}
    return {step.name for step in _processes(steps) if step.name in asked}


def _taken(step: Step) -> Iterator[str]:
    """The names of the steps whose results `step` takes, in its arguments or as its items."""
    values = (step.args, step.kwargs, step.command, step.initargs if isinstance(step, PoolStep) else ())
    yield from (reference.path[0] for reference in references_in(values) if reference.scope == "results")
    yield needed_results(step)


def _not_waiting(step: PoolStep) -> str:
    return step.call if step.call in ("imap", "imap_unordered") else f"{method_of(step)}_async"


def _with(contexts: list[Group]) -> str:
    one_line = f"{' ' * INDENT}with {', '.join(map(flat, contexts))}:"
    if len(contexts) == 1:
        return lines(led("with ", contexts[0]), INDENT, ":")
    return one_line if len(one_line) <= WIDTH else lines(Group("with (", tuple(contexts), "):"), INDENT)


def _suffix(step: Step) -> str:
    return "_process" if isinstance(step, ProcessStep) else "_results"


def _processes(steps: Iterable[Step]) -> list[ProcessStep]:
    return [step for step in steps if isinstance(step, ProcessStep)]


def _for_each(names: list[str], method: str) -> list[str]:
    """One statement a process; a loop where there are more than two."""
    margin = " " * INDENT
    if len(names) <= 2:
        return [f"{margin}{name}.{method}()" for name in names]
    return [lines(Group("for process in (", tuple(names), ")"), INDENT, ":"), f"{margin * 2}process.{method}()"]


def _exit_if_failed(names: list[str]) -> list[str]:
    if not names:
        return []
    failed: Code = " or ".join(f"{name}.exitcode" for name in names)
    if len(names) > 2:
        failed = Group("any(process.exitcode for process in (", tuple(names), "))", is_call=True)
    return [lines(led("if ", failed), INDENT, ":"), f"{' ' * 2 * INDENT}sys.exit(1)"]
