"""The child that imports the targets before a run and tries what can be tried without calling them.

A module that crashes, hangs, exits or starts threads on import can hurt only this child. It is told what to check on
its standard input and answers in JSON lines: `{"checking": n}` before each use, so that the parent knows what it died
of, then `{"checked": n, "problems": […]}`.
"""

from __future__ import annotations

import difflib
import inspect
import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from mprun.plan import Surroundings
from mprun.targets import import_target_module, search_path
from mprun.values import type_name
from mprun.worker import lifeline
from mprun.worker.arguments import argument_problems
from mprun.worker.exceptions import exception_fields
from mprun.worker.problems import Problem, Use

MAX_PROBLEMS = 5  # told of one use: a list of 10,000 wrong items is one slip
MAX_TRACE_LINES = 12


def main() -> None:
    """Read a pickled (Surroundings, [(number, Use)]) from standard input; answer on the descriptor in argv[1]."""
    length = int.from_bytes(_read_exactly(8), "little")
    surroundings, uses = pickle.loads(_read_exactly(length))
    answers = open(int(sys.argv[1]), "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    lifeline.hold(0)
    _enter(surroundings)
    for number, use in uses:
        answers.write(json.dumps({"checking": number}) + "\n")
        problems = [problem.fields() for problem in islice(_problems(use, surroundings), MAX_PROBLEMS)]
        answers.write(json.dumps({"checked": number, "problems": problems}) + "\n")
    answers.close()
    os._exit(0)  # threads that an import has started have no say in when the check is over


def _read_exactly(count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _enter(surroundings: Surroundings) -> None:
    os.environ.update(surroundings.env)
    os.chdir(surroundings.working_dir)
    sys.path[:] = search_path(sys.path, surroundings.pythonpath)
    sys.argv[:] = [""]


def _problems(use: Use, surroundings: Surroundings) -> Iterator[Problem]:
    shadowed = _shadowed(use, surroundings)
    if shadowed is not None:
        yield shadowed
        return
    try:
        found: Any = import_target_module(use.target)
    except BaseException as error:  # noqa: BLE001 -- whatever the user's module does, it is told
        yield _import_problem(use, surroundings, error)
        return
    for name in use.target.qualname.split("."):
        if not hasattr(found, name):
            yield _no_attribute(use, found, name)
            return
        found = getattr(found, name)
    unsuitable = _unsuitable(use, found)
    if unsuitable is not None:
        yield unsuitable
    else:
        yield from argument_problems(found, use)


def _shadowed(use: Use, surroundings: Surroundings) -> Problem | None:
    """A module of the user's that can't be reached, as the standard library has one of that name."""
    top = use.target.module.partition(".")[0]
    if top not in sys.stdlib_module_names:
        return None
    for folder in surroundings.pythonpath:
        if os.path.isfile(os.path.join(folder, f"{top}.py")):
            message = f"Python's standard library has a module `{top}` too, which hides your {top}.py"
            path = os.path.relpath(os.path.join(folder, f"{top}.py"), surroundings.pythonpath[0])
            return Problem("shadowed-module", message, (use.role,), advice=f"write `{path}:{use.target.qualname}`")
    return None


def _import_problem(use: Use, surroundings: Surroundings, error: BaseException) -> Problem:
    target = use.target
    name = target.module or os.path.basename(target.file)
    if isinstance(error, ModuleNotFoundError) and _leads_to(error.name or "", target.module):
        return _no_module(use, surroundings, error.name or "")
    if isinstance(error, SystemExit):
        return Problem("import", f"importing `{name}` ends the program: sys.exit({error.code!r})", (use.role,))
    return Problem("import", f"importing `{name}` raises {_told(error)}", (use.role,), notes=_trace(error))


def _leads_to(missing: str, module: str) -> bool:
    return bool(missing) and f"{module}.".startswith(f"{missing}.")


def _told(error: BaseException) -> str:
    lines = str(exception_fields(error)["exception.message"]).splitlines()
    return f"{type_name(type(error))}: {lines[0]}" if lines else type_name(type(error))


def _trace(error: BaseException) -> tuple[str, ...]:
    """The frames of the user's own, with the text of a SyntaxError."""
    lines = exception_fields(error)["exception.stacktrace"].splitlines()
    lines = [line.rstrip() for line in lines if line.strip() and not line.startswith("Traceback")]
    cut = lines if len(lines) <= MAX_TRACE_LINES else ["…", *lines[-MAX_TRACE_LINES:]]
    return tuple(line.replace(os.path.join(os.getcwd(), ""), "") for line in cut)


def _no_module(use: Use, surroundings: Surroundings, missing: str) -> Problem:
    near = difflib.get_close_matches(missing, _own_modules(surroundings), 1)
    return Problem(
        "no-module",
        f"there is no module `{missing}`",
        (use.role,),
        near=use.target.module,
        advice=f"did you mean `{near[0]}`?" if near else "",
        notes=() if near else ("looked in the workflow's folder, `pythonpath` and this Python's packages",),
    )


def _own_modules(surroundings: Surroundings) -> list[str]:
    """Names of modules in the workflow's folders: what a slip of the pen may have meant."""
    names: set[str] = set()
    for folder in filter(os.path.isdir, surroundings.pythonpath):
        names.update(entry.removesuffix(".py") for entry in os.listdir(folder) if entry.endswith(".py"))
    return sorted(names)


def _no_attribute(use: Use, found: Any, name: str) -> Problem:
    where = use.target.module or os.path.basename(use.target.file)
    owner, _, _ = use.target.qualname.partition(f".{name}")
    holder = f"`{owner}` in `{where}`" if inspect.isclass(found) else f"`{where}`"
    near = difflib.get_close_matches(name, [each for each in dir(found) if not each.startswith("__")], 1)
    advice = f"did you mean `{near[0]}`?" if near else ""
    return Problem("no-attribute", f"{holder} has no `{name}`", (use.role,), near=name, advice=advice)


def _unsuitable(use: Use, found: Any) -> Problem | None:
    text = use.target.qualname
    if not callable(found):
        return Problem("not-callable", f"`{text}` is {_kind(found)}, which can't be called", (use.role,), near=text)
    asynchronous = inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found)
    if asynchronous or inspect.isgeneratorfunction(found):
        kind = "an async function" if asynchronous else "a generator function"
        remedy = "a function that calls asyncio.run" if asynchronous else "a function that returns a list"
        told = f"`{text}` is {kind}: what it returns can't leave its process"
        return Problem("not-callable", told, (use.role,), near=text, advice=f"name {remedy}")
    return None if _found_by_name(found) else _not_by_name(use, found)


def _found_by_name(found: Callable[..., Any]) -> bool:
    try:
        pickle.dumps(found)
    except Exception:  # noqa: BLE001 -- pickle raises by kind of object, and the object's own code may raise
        return False
    return True


def _not_by_name(use: Use, found: Any) -> Problem:
    text = use.target.qualname
    real = getattr(found, "__qualname__", "")
    kind = "a lambda" if "<lambda>" in real else f"called `{real}` in truth" if real else _kind(found)
    message = f"`{text}` can't be found by its name in a child process: it is {kind}"
    advice = "define it with `def` at the top level of its module"
    return Problem("not-by-name", message, (use.role,), near=text, advice=advice)


def _kind(found: Any) -> str:
    if inspect.ismodule(found):
        return "a module"
    name = type_name(type(found))
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


if __name__ == "__main__":
    main()
