"""The child that imports the targets before a run, and checks what it can without calling them.

A module that crashes, hangs, exits or starts threads on import can hurt only this child. The child reads from standard
input what to check, and answers in JSON lines. `{"checking": n}` comes before each use, so that the parent knows which
one the child died of. Then comes `{"checked": n, "problems": […], "converts": …, "changes": …, "code": …}`: `converts`
says whether any argument needs a check or conversion in the child that calls the target, `changes` whether one may
become another value, `code` is the digest of the source file of the target.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from mprun.language.targets import import_target_module, search_path
from mprun.log.values import bounded_repr, type_name
from mprun.plan.child_spec import Surroundings
from mprun.worker.boot import lifeline
from mprun.worker.calls.exceptions import summary
from mprun.worker.checks.allowlist import is_allowed, not_allowed
from mprun.worker.checks.arguments import ArgumentCheck, short_path
from mprun.worker.checks.arrays import array_problems
from mprun.worker.checks.problems import Problem, Use
from mprun.worker.conversion.converter import did_you_mean, with_article

MAX_PROBLEMS = 5  # reported per use; a list of 10,000 wrong items is one mistake
MAX_TRACE_LINES = 12
MAX_NAMES = 8

_OUR_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(__file__))) + os.sep
_PYTHONS_FOLDER = os.path.dirname(os.__file__) + os.sep


def main() -> None:
    """Read a pickled (Surroundings, [(number, Use)]) from standard input. Answer on the descriptor in argv[1]."""
    length = int.from_bytes(_read_exactly(8), "little")
    surroundings, uses = pickle.loads(_read_exactly(length))
    answers = open(int(sys.argv[1]), "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    lifeline.hold(0)
    _enter(surroundings)
    for number, use in uses:
        answers.write(json.dumps({"checking": number}) + "\n")
        answers.write(json.dumps({"checked": number, **_findings(use, surroundings)}) + "\n")
    answers.close()
    os._exit(0)  # not sys.exit: threads that an import started must not delay the end


def _read_exactly(count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _enter(surroundings: Surroundings) -> None:
    known = {name: value for name, value in surroundings.env.items() if isinstance(value, str)}
    os.environ.update(known)  # a value that refers to a secret or to the run isn't known yet
    os.chdir(surroundings.working_dir)
    sys.path[:] = search_path(sys.path, surroundings.pythonpath)
    sys.argv[:] = [""]


def _findings(use: Use, surroundings: Surroundings) -> dict[str, Any]:
    """Return the answer to `use`."""
    if use.shape == "array":
        return _answer(array_problems(use.kwargs))
    try:
        found = _found(use, surroundings)
    except _Unusable as unusable:
        return _answer([unusable.problem])
    if use.shape == "exception":
        return _answer([])
    check = ArgumentCheck(found, use)
    answer = _answer(islice(check.problems(), MAX_PROBLEMS))  # what it converts is known once these are found
    return answer | {"converts": check.converts, "changes": check.changes, "code": _code(use, found)}


def _answer(problems: Iterable[Problem]) -> dict[str, Any]:
    found = [problem.fields() for problem in problems]
    return {"problems": found, "converts": False, "changes": False, "code": ""}


def _code(use: Use, found: Any) -> str:
    """Return the SHA-256 of the file of the target's module, and of the file that defines `found` (if it is
    another)."""
    modules = (import_target_module(use.target), sys.modules.get(_defined_in(found)))
    files = dict.fromkeys(filter(None, (getattr(module, "__file__", None) for module in modules)))
    digest = hashlib.sha256()
    for file in files:
        with contextlib.suppress(OSError), open(file, "rb") as code:
            digest.update(hashlib.file_digest(code, "sha256").digest())
    return digest.hexdigest() if files else ""


class _Unusable(Exception):  # noqa: N818 -- it carries a problem, which is the error
    """The target can't be called at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def _found(use: Use, surroundings: Surroundings) -> Any:
    """Return what the target names. Raises _Unusable."""
    shadowed = _shadowed(use, surroundings)
    if shadowed is not None:
        raise _Unusable(shadowed)
    try:
        found: Any = import_target_module(use.target)
    except BaseException as error:  # noqa: BLE001 -- the user's module may raise anything; the problem reports it
        raise _Unusable(_import_problem(use, surroundings, error)) from None
    for name in use.target.qualname.split("."):
        if not hasattr(found, name):
            raise _Unusable(_no_attribute(use, found, name))
        found = getattr(found, name)
    unsuitable = _SUITS.get(use.shape, _unsuitable)(use, found)
    if unsuitable is not None:
        raise _Unusable(unsuitable)
    if use.shape != "exception" and not all(is_allowed(found, targets) for targets in use.allowed):
        raise _Unusable(not_allowed(use))
    return found


def _defined_in(found: Any) -> str:
    try:
        return str(inspect.unwrap(found).__module__)
    except Exception:  # noqa: BLE001 -- the target may be an object whose attributes are the user's code
        return ""


def _shadowed(use: Use, surroundings: Surroundings) -> Problem | None:
    """Return a problem if a module of the user's can't be reached, because the standard library has one of that
    name."""
    top = use.target.module.partition(".")[0]
    if top not in sys.stdlib_module_names:
        return None
    for folder in surroundings.pythonpath:
        if os.path.isfile(os.path.join(folder, f"{top}.py")):
            message = f"Python's standard library has a module `{top}` too, which hides your {top}.py"
            path = os.path.relpath(os.path.join(folder, f"{top}.py"), surroundings.pythonpath[0])
            return Problem("shadowed-module", message, use.at, advice=f"write `{path}:{use.target.qualname}`")
    return None


def _import_problem(use: Use, surroundings: Surroundings, error: BaseException) -> Problem:
    target = use.target
    name = target.module or os.path.basename(target.file)
    if isinstance(error, ModuleNotFoundError) and _leads_to(error.name or "", target.module):
        return _no_module(use, surroundings, error)
    if isinstance(error, SystemExit):
        message = f"importing `{name}` ends the program: sys.exit({bounded_repr(error.code)})"
        return Problem("import", message, use.at, notes=_trace(error))
    return Problem("import", f"importing `{name}` raises {summary(error)}", use.at, notes=_trace(error))


def _leads_to(missing: str, module: str) -> bool:
    return bool(missing) and f"{module}.".startswith(f"{missing}.")


def _trace(error: BaseException) -> tuple[str, ...]:
    """Return the frames as `file.py:3: the line`, outermost first, without frames of Python's own library."""
    try:
        formatted = traceback.TracebackException.from_exception(error)
    except BaseException:  # noqa: BLE001 -- it calls the user's __str__
        return ()
    lines = [
        f"{short_path(frame.filename)}:{frame.lineno}: {frame.line}" for frame in formatted.stack if _is_users(frame)
    ]
    if issubclass(formatted.exc_type or object, SyntaxError) and formatted.filename:
        lines.append(
            f"{short_path(formatted.filename)}:{formatted.lineno}:{formatted.offset}: {(formatted.text or '').strip()}"
        )
    return tuple(lines if len(lines) <= MAX_TRACE_LINES else ["…", *lines[-MAX_TRACE_LINES:]])


def _is_users(frame: traceback.FrameSummary) -> bool:
    """Return whether a frame is the user's, not mprun's and not of Python's library, in whose folder packages may
    be."""
    file = frame.filename
    if file.startswith((_OUR_FOLDER, "<frozen ")):
        return False
    return "site-packages" in file or not file.startswith(_PYTHONS_FOLDER)


def _no_module(use: Use, surroundings: Surroundings, error: ModuleNotFoundError) -> Problem:
    missing = error.name or ""
    why = str(error).partition("; ")[2].replace("'", "`")  # "'jobs' is not a package"
    advice = did_you_mean(missing, _own_modules(surroundings))
    return Problem(
        "no-module",
        f"there is no module `{missing}`" + (f": {why}" if why else ""),
        use.at,
        near=use.target.module,
        advice=advice,
        notes=() if advice else ("looked in the workflow's folder, `pythonpath` and this Python's packages",),
    )


def _own_modules(surroundings: Surroundings) -> list[str]:
    """Return the names of modules in the workflow's folders, one of which a misspelled name may mean."""
    names: set[str] = set()
    for folder in filter(os.path.isdir, surroundings.pythonpath):
        names.update(entry.removesuffix(".py") for entry in os.listdir(folder) if entry.endswith(".py"))
    return sorted(names)


def _no_attribute(use: Use, found: Any, name: str) -> Problem:
    where = use.target.module or os.path.basename(use.target.file)
    owner, _, _ = f".{use.target.qualname}.".partition(f".{name}.")
    holder = f"`{owner[1:]}` in `{where}`" if owner else f"`{where}`"
    names = [each for each in dir(found) if not each.startswith("_")]
    advice = did_you_mean(name, names)
    return Problem(
        "no-attribute",
        f"{holder} has no `{name}`",
        use.at,
        near=name,
        advice=advice,
        notes=() if advice else _callables(found, names, holder),
        skip=_behind_colon(use) + len(owner),
    )


def _callables(found: Any, names: list[str], holder: str) -> tuple[str, ...]:
    listed = [f"`{each}`" for each in names if callable(inspect.getattr_static(found, each, None))]
    if not listed or not (inspect.ismodule(found) or inspect.isclass(found)):
        return ()
    more = f", … ({len(listed) - MAX_NAMES} more)" if len(listed) > MAX_NAMES else ""
    return (f"{holder} has {', '.join(listed[:MAX_NAMES])}{more}",)


def _behind_colon(use: Use) -> int:
    """Return how many characters stand before the qualified name in the text of a target."""
    return len(use.target.text) - len(use.target.qualname)


def _unsuitable(use: Use, found: Any) -> Problem | None:
    text, skip = use.target.qualname, _behind_colon(use)
    if not callable(found):
        return Problem("not-callable", f"`{text}` is {_kind(found)}, which can't be called", use.at, text, skip=skip)
    asynchronous = inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found)
    if asynchronous or inspect.isgeneratorfunction(found):
        kind = "an async function" if asynchronous else "a generator function"
        remedy = "a function that calls asyncio.run" if asynchronous else "a function that returns a list"
        message = f"`{text}` is {kind}: what it returns can't leave its process"
        return Problem("not-callable", message, use.at, text, f"name {remedy}", skip=skip)
    return None if _found_by_name(found) else _not_by_name(use, found)


def _no_exception(use: Use, found: Any) -> Problem | None:
    if _is_exception(found):
        return None
    text = use.target.qualname
    kind = "a class, but not derived from Exception" if inspect.isclass(found) else _kind(found)
    advice = did_you_mean(text, _exceptions_beside(use))
    message = f"`{text}` is not an exception class: it is {kind}"
    return Problem("not-an-exception", message, use.at, text, advice, skip=_behind_colon(use))


def _no_generator(use: Use, found: Any) -> Problem | None:
    """Return a problem if `found` is not a generator function.

    Generators are fine here: only their items leave the process.
    """
    text, skip = use.target.qualname, _behind_colon(use)
    if not callable(found):
        return Problem("not-callable", f"`{text}` is {_kind(found)}, which can't be called", use.at, text, skip=skip)
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        message = f"`{text}` is an async function, and items come from an ordinary generator"
        return Problem("not-callable", message, use.at, text, skip=skip)
    return None


def _exceptions_beside(use: Use) -> list[str]:
    return [name for name, value in vars(import_target_module(use.target)).items() if _is_exception(value)]


def _is_exception(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseException)


def _found_by_name(found: Callable[..., Any]) -> bool:
    try:
        pickle.dumps(found)
    except Exception:  # noqa: BLE001 -- pickle raises by kind of object, and the object's own code may raise
        return False
    return True


def _not_by_name(use: Use, found: Any) -> Problem:
    text = use.target.qualname
    real = getattr(found, "__qualname__", "")
    if real.endswith("<lambda>"):
        what, advice = "is a lambda", "define it with `def`"
    elif "<locals>" in real:
        what = f"says that its name is `{real}`"
        advice = "define it at the top level of its module; a decorator wants functools.wraps"
    elif real and real != text:
        what, advice = f"says that its name is `{real}`", f"name `{real}`, or give it a name of its own"
    else:
        what, advice = f"is {_kind(found)} that can't be pickled", "define a function that calls it"
    message = f"`{text}` can't be found by its name in a child process: it {what}"
    return Problem("not-by-name", message, use.at, text, advice, skip=_behind_colon(use))


def _kind(found: Any) -> str:
    if inspect.ismodule(found):
        return "a module"
    return with_article(type_name(type(found)))


_SUITS = {"exception": _no_exception, "generator": _no_generator}

if __name__ == "__main__":
    main()
