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

from mprun.language.references import variable_name
from mprun.language.targets import Target
from mprun.plan.plan import Plan, PoolStep, Step, items_of, when
from mprun.planning.eject.items import helpers_for, modules_for, with_parts
from mprun.planning.eject.library import Used
from mprun.planning.eject.main_block import main_block
from mprun.planning.eject.names import Imports, Names
from mprun.planning.eject.refusals import references_to, refuse_what_has_no_words, without_skipped
from mprun.planning.eject.shared import about_waits, made_by
from mprun.planning.eject.values import RUN_DIR, Values
from mprun.planning.show.limits_text import limits_text, run_limits
from mprun.planning.show.source_text import WIDTH, flat, literal, quoted
from mprun.sources.table import CallSource

_LOAD_FILE = '''\
def load_file(name, path):
    """Import the file at `path` as the module `name`; each child does so again, under the same name."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module'''


def python_script(plan: Plan, *, checked: bool = True) -> str:
    """The text of the program: it can be started from any folder, as it stands. Raises UsageError.

    `checked`: the targets have been looked at, so that the plan knows which steps convert their arguments.
    """
    around = [step.name for step in plan.steps if when(step)]
    plan, skipped = without_skipped(replace(plan, steps=tuple(step for step in plan.steps if not when(step))))
    refuse_what_has_no_words(plan)
    names, used = Names(), Used()
    imports = Imports([*_targets(plan.steps), *made_by(plan.shared)], plan.surroundings.working_dir, names)
    main = main_block(plan, imports, names, used)
    sources = [source for step in plan.steps if (source := items_of(step)) is not None]
    for module in (*modules_for(sources), *used.modules()):
        imports.add(module)
    comments = [*_left_out(plan, around, skipped, checked), *about_waits(plan)]
    top = [_docstring(plan), *comments, "import os\nimport sys", _surroundings(plan), imports.text()]
    helpers = [*helpers_for(sources), *used.texts(), *[_LOAD_FILE] * imports.loads_files]
    loads = ["\n".join(imports.loads)] * bool(imports.loads)
    return _file(top, helpers, loads, main)


def _file(top: list[str], helpers: list[str], loads: list[str], main: str) -> str:
    """The parts of a file with the blank lines between them that Python's style guide asks for."""
    if not helpers:
        return "\n\n".join([*top, *loads, main]) + "\n"
    return "\n\n\n".join(["\n\n".join(top), *helpers, "\n\n".join([*loads, main])]) + "\n"


def _targets(steps: Iterable[Step]) -> Iterator[Target]:
    for step in steps:
        yield from [] if step.command else [step.target]
        if isinstance(step, PoolStep):
            yield from filter(None, (step.initializer, step.finalizer))
        source = items_of(step)
        yield from [part.target for part in with_parts(source) if isinstance(part, CallSource)] if source else []


def _docstring(plan: Plan) -> str:
    text = _one_line(plan.description or plan.name)
    origin = _one_line(f"The plain multiprocessing program that {Path(plan.workflow).name} stands for.")
    told = " ".join([origin, *_what_references_are(plan)])
    return f'"""{textwrap.fill(text, WIDTH - 3)}\n\n{textwrap.fill(told, WIDTH)}\n"""'


def _what_references_are(plan: Plan) -> Iterator[str]:
    if references_to(plan, "run"):
        yield "What a run keeps in a folder of its own goes to the folder that it is started in."
    secrets = {variable_name(reference.path[0]) for reference in references_to(plan, "params")}
    if secrets:
        yield f"It takes secrets from the environment: {', '.join(sorted(secrets))}."


def _left_out(plan: Plan, around: list[str], skipped: list[str], checked: bool) -> list[str]:
    """Comments that name by step what of the plan plain multiprocessing has no words for."""
    limits = {"the whole run": ", ".join(f"{name} {text}" for name, text in run_limits(plan).items())}
    limits |= {f"`{step.name}`": limits_text(step.limits) for step in plan.steps}
    rows = [f"#   {name}: {text}" for name, text in limits.items() if text]
    told = ["\n".join(["# Left out, as plain multiprocessing has no such limits:", *rows])] if rows else []
    told += [f"# Left out, as they are run around the others: {_listed(around)}"] * bool(around)
    told += [f"# Left out, as an `if` says so: {_listed(skipped)}"] * bool(skipped)
    converting = [step.name for step in plan.steps if step.converts]
    told += [f"# Converted as annotations ask, or refused (see `as_asked`): {_listed(converting)}"] * bool(converting)
    unseen = "# The targets were not looked at: arguments are given as they are written, and not as annotations ask."
    return told if checked else [*told, unseen]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _one_line(text: str) -> str:
    """`text` such that it can stand in a docstring, whatever it holds."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return printable.replace("\\", "\\\\").replace('"""', r"\"\"\"")


def _surroundings(plan: Plan) -> str:
    """The lines that give the program, and so its children, the folder, search path and environment of a run."""
    around = plan.surroundings
    values = Values(str, Used())
    coded = [(name, flat(literal(values.coded(value)))) for name, value in around.env.items()]
    env = [f"os.environ[{quoted(name)}] = {value}" for name, value in coded]
    env += [f"{RUN_DIR} = os.getcwd()"] * bool(references_to(plan, "run"))
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
