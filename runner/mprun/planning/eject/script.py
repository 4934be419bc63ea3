"""A plan as the plain `multiprocessing` program that does the same work without mprun and gives the same results.

The program prints what each pool returns. It differs from a run in this: nothing is logged, steps start in waves (all
whose needs are met, together; the next wave when they have ended), the first failure that something waits for, or
that a pool raises, ends it with exit code 1, and there are no limits and no retries: a comment at its top lists which
of the plan's it leaves out. What else a plain program can't do is refused (refusals.py).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from mprun.language.references import references_in, variable_name
from mprun.plan.plan import Plan
from mprun.planning.eject.calls import Values
from mprun.planning.eject.contents import sources_of, targets_of, values_of
from mprun.planning.eject.items import helpers_for, modules_for
from mprun.planning.eject.main_block import main_block
from mprun.planning.eject.names import Imports, Names
from mprun.planning.eject.refusals import refuse_what_is_not_plain
from mprun.planning.show.limits_text import limits_text, run_limits
from mprun.planning.show.source_text import WIDTH, flat, literal, quoted


def python_script(plan: Plan, *, checked: bool = True) -> str:
    """The text of the program: it can be started from any folder, as it stands. Raises UsageError.

    `checked`: the targets have been looked at, so that the plan knows which steps convert their arguments.
    """
    refuse_what_is_not_plain(plan)
    names = Names()
    imports = Imports(targets_of(plan), names)
    main = main_block(plan, imports, names)
    sources = sources_of(plan)
    for module in modules_for(sources):
        imports.add(module)
    comments = list(_left_out(plan, checked))
    top = [_docstring(plan), *comments, "import os\nimport sys", _surroundings(plan), imports.text()]
    return _file(top, helpers_for(sources), main)


def _file(top: list[str], helpers: list[str], main: str) -> str:
    """The parts of a file with the blank lines between them that Python's style guide asks for."""
    if not helpers:
        return "\n\n".join([*top, main]) + "\n"
    return "\n\n\n".join(["\n\n".join(top), *helpers, main]) + "\n"


def _docstring(plan: Plan) -> str:
    text = _one_line(plan.description or plan.name)
    origin = _one_line(f"The plain multiprocessing program that {Path(plan.workflow).name} stands for.")
    note = (
        f"{origin} It takes secrets from the environment: {', '.join(secrets)}."
        if (secrets := _secrets(plan))
        else origin
    )
    return f'"""{textwrap.fill(text, WIDTH - 3)}\n\n{textwrap.fill(note, WIDTH)}\n"""'


def _secrets(plan: Plan) -> list[str]:
    """The environment variables that secret parameters are read from."""
    found = references_in([plan.surroundings.env, *map(values_of, plan.steps)])
    return sorted({variable_name(reference.path[0]) for reference in found if reference.scope == "params"})


def _left_out(plan: Plan, checked: bool) -> Iterator[str]:
    """Comments on what of the plan shows only where something goes wrong, and on what isn't known of it."""
    limits = {"the whole run": ", ".join(f"{name} {text}" for name, text in run_limits(plan).items())}
    limits |= {f"`{step.name}`": limits_text(step.limits) for step in plan.steps}
    rows = [f"#   {name}: {text}" for name, text in limits.items() if text]
    if rows:
        yield "\n".join(["# Left out, as plain multiprocessing has no such limits:", *rows])
    if checking := [step.name for step in plan.steps if step.converts == "check"]:
        names = ", ".join(f"`{name}`" for name in checking)
        yield f"# Left out, as Python doesn't look: whether the arguments of {names} are what annotations say."
    if not checked:
        yield "# The targets were not looked at: arguments are given as they are written, and not as annotations ask."


def _one_line(text: str) -> str:
    """`text` such that it can stand in a docstring, whatever it holds."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return printable.replace("\\", "\\\\").replace('"""', r"\"\"\"")


def _surroundings(plan: Plan) -> str:
    """The lines that give the program, and so its children, the folder, search path and environment of a run."""
    around = plan.surroundings
    coded = [(name, flat(literal(Values({}).coded(value)))) for name, value in around.env.items()]
    env = [f"os.environ[{quoted(name)}] = {value}" for name, value in coded]
    chdir = "os.chdir(FOLDER)  # before the imports: children start in the folder that multiprocessing finds"
    return "\n".join([*env, f"FOLDER = {quoted(around.working_dir)}", chdir, _search_path(plan)])


def _search_path(plan: Plan) -> str:
    here = plan.surroundings.working_dir
    folders = ["FOLDER" if folder == here else quoted(folder) for folder in plan.surroundings.pythonpath]
    return f"sys.path.insert(0, {folders[0]})" if len(folders) == 1 else f"sys.path[:0] = [{', '.join(folders)}]"
