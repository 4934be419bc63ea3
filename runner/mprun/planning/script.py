"""A plan as the plain `multiprocessing` program that does the same work without mprun and gives the same results.

The program prints what each pool returns. It differs from a run in this: nothing is logged, steps start in waves (all
whose needs are met, together; the next wave when they have ended), the first failure that something waits for, or
that a pool raises, ends it with exit code 1, and there are no limits and no second attempts: a comment at its top
lists which of the plan's it leaves out.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mprun.errors import UsageError
from mprun.plan import Plan, PoolStep, ProcessStep, Step, when
from mprun.planning.limits_text import limits_text, run_limits
from mprun.planning.script_helpers import helpers_for, modules_for, with_parts
from mprun.planning.script_names import Imports, Names
from mprun.planning.script_steps import main_block
from mprun.planning.source_text import WIDTH, quoted
from mprun.references import references_in
from mprun.sources import CallSource
from mprun.targets import Target

_LOAD_FILE = '''\
def load_file(name, path):
    """Import the file at `path` as the module `name`; each child does so again, under the same name."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module'''


_SUBPROCESS_RUN = Target("subprocess:run", "subprocess", "", "run")


def python_script(plan: Plan) -> str:
    """The text of the program: it can be started from any folder, as it stands. Raises UsageError."""
    _refuse_what_has_no_words(plan)
    around = [step.name for step in plan.steps if when(step)]
    plan = replace(plan, steps=tuple(_with_plain_command(step) for step in plan.steps if not when(step)))
    names = Names()
    imports = Imports(_targets(plan.steps), plan.surroundings.working_dir, names)
    pools = [step for step in plan.steps if isinstance(step, PoolStep)]
    for module in modules_for(pools):
        imports.add(module)
    top = [_docstring(plan), *_left_out(plan, around), "import os\nimport sys", _surroundings(plan), imports.text()]
    helpers = [*helpers_for(pools), *[_LOAD_FILE] * imports.loads_files]
    loads = ["\n".join(imports.loads)] * bool(imports.loads)
    return _file(top, helpers, loads, main_block(plan, imports, names))


def _refuse_what_has_no_words(plan: Plan) -> None:
    for step in plan.steps:
        told = next(_beyond(step, plan), "")
        if told and not when(step):
            raise UsageError(f"`--python`: the step `{step.name}` {told}, for which plain multiprocessing has no words")


def _beyond(step: Step, plan: Plan) -> Iterator[str]:
    """What a step has that the program couldn't do."""
    if step.surroundings != plan.surroundings:
        yield "has an `env`, a folder or a search path of its own"
    if step.condition is not None or any(condition != "succeeded" for condition in step.needs.values()):
        yield "starts on a condition"
    if isinstance(step, ProcessStep) and step.cells is not None:
        yield "has a Process for each of its cells"
    if isinstance(step, PoolStep) and step.command:
        yield "runs a program in a pool"
    if any(references_in((step.args, step.kwargs, step.command))):
        yield "is given what only the run can tell"


def _with_plain_command(step: Step) -> Step:
    """A command as the call that runs it."""
    if not step.command or isinstance(step, PoolStep):
        return step
    command = [part if isinstance(part, str) else str(part) for part in step.command]
    return replace(step, target=_SUBPROCESS_RUN, args=(command,), kwargs={"check": True}, command=())


def _file(top: list[str], helpers: list[str], loads: list[str], main: str) -> str:
    """The parts of a file with the blank lines between them that Python's style guide asks for."""
    if not helpers:
        return "\n\n".join([*top, *loads, main]) + "\n"
    return "\n\n\n".join(["\n\n".join(top), *helpers, "\n\n".join([*loads, main])]) + "\n"


def _targets(steps: Iterable[Step]) -> Iterator[Target]:
    for step in steps:
        yield step.target
        if isinstance(step, PoolStep):
            yield from [step.initializer] if step.initializer else []
            yield from (source.target for source in with_parts(step.source) if isinstance(source, CallSource))


def _docstring(plan: Plan) -> str:
    text = _one_line(plan.description or plan.name)
    origin = _one_line(f"The plain multiprocessing program that {Path(plan.workflow).name} stands for.")
    return f'"""{textwrap.fill(text, WIDTH - 3)}\n\n{textwrap.fill(origin, WIDTH)}\n"""'


def _left_out(plan: Plan, around: list[str]) -> list[str]:
    """A comment that names what of the plan plain multiprocessing has no words for, by step."""
    limits = {"the whole run": ", ".join(f"{name} {text}" for name, text in run_limits(plan).items())}
    limits |= {f"`{step.name}`": limits_text(step.limits) for step in plan.steps}
    rows = [f"#   {name}: {text}" for name, text in limits.items() if text]
    told = ["\n".join(["# Left out, as plain multiprocessing has no such limits:", *rows])] if rows else []
    names = ", ".join(f"`{name}`" for name in around)
    return [*told, f"# Left out, as they are run around the others: {names}"] if around else told


def _one_line(text: str) -> str:
    """`text` such that it can stand in a docstring, whatever it holds."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return printable.replace("\\", "\\\\").replace('"""', r"\"\"\"")


def _surroundings(plan: Plan) -> str:
    """The lines that give the program, and so its children, the folder, search path and environment of a run."""
    around = plan.surroundings
    env = [f"os.environ[{quoted(name)}] = {quoted(value)}" for name, value in around.env.items()]
    chdir = "os.chdir(FOLDER)  # before the imports: children start in the folder that multiprocessing finds"
    return "\n".join([*env, f"FOLDER = {quoted(around.working_dir)}", chdir, *_search_path(plan)])


def _search_path(plan: Plan) -> list[str]:
    here = plan.surroundings.working_dir
    folders = ["FOLDER" if folder == here else quoted(folder) for folder in plan.surroundings.pythonpath]
    if hiding := _hiding_files(plan.steps):
        return [
            f'os.environ["PYTHONSAFEPATH"] = "1"  # {hiding} must not hide one of Python\'s own modules',
            f"sys.path.extend([{', '.join(folders)}])",
        ]
    return [f"sys.path.insert(0, {folders[0]})" if len(folders) == 1 else f"sys.path[:0] = [{', '.join(folders)}]"]


def _hiding_files(steps: Iterable[Step]) -> str:
    """The target files that are named like a module of the standard library."""
    files = {Path(target.file) for target in _targets(steps) if target.file}
    return ", ".join(sorted(_one_line(file.name) for file in files if file.stem in sys.stdlib_module_names))
