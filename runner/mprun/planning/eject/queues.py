"""Whether a function uses a queue only as multiprocessing's own can be used: by its methods, such as `get` and `put`.

In a run a loop over a queue ends with its producers, and `get` then raises EOFError. A plain queue has no end: a loop
over it fails, and code that waits for its end waits forever. So the program has plain queues only where the source of
all functions that are given one shows that they do nothing else with it; what can't be seen counts as something else.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TypeGuard

from mprun.language.references import Reference, references_in
from mprun.language.targets import Target
from mprun.plan.plan import ProcessStep, Step


def uses_methods_alone(step: Step, queue: str, search_path: Sequence[str]) -> bool:
    """Whether the function of `step` can be seen to call methods of its `queue`, and to do nothing else with it."""
    if not isinstance(step, ProcessStep):
        return False  # an initializer keeps it in a variable, and who reads that is not to be seen
    module = _source(step.target, search_path)
    function = next((each for each in module.body if _is_function(each, step.target.qualname)), None)
    if not isinstance(function, ast.FunctionDef) or function.decorator_list or _names("EOFError", module):
        return False
    parameters = _parameters(step, Reference("shared", (queue,)), function)
    called_on = {id(node.value) for node in ast.walk(function) if _is_method(node)}
    return bool(parameters) and all(id(use) in called_on for name in parameters for use in _names(name, function))


def _parameters(step: ProcessStep, reference: Reference, function: ast.FunctionDef) -> list[str]:
    """The parameters that are given `reference`; none where something else holds it as well."""
    in_order = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    by_name = {*in_order, *(each.arg for each in function.args.kwonlyargs)}
    given = [*zip(in_order, step.args, strict=False), *step.kwargs.items()]
    found = [name for name, value in given if value == reference and name in by_name]
    return found if len(found) == sum(each == reference for each in references_in((step.args, step.kwargs))) else []


def _source(target: Target, search_path: Sequence[str]) -> ast.Module:
    """The module of `target`; an empty one where it has no source that can be read."""
    path: Sequence[str] | None = search_path
    origin, parts = "", target.module.split(".")
    for length in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:length]), path)
        path, origin = (spec.submodule_search_locations, spec.origin or "") if spec else ([], "")
    try:
        return ast.parse(Path(origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _is_function(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.FunctionDef) and statement.name == name


def _is_method(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and not node.attr.startswith("_")


def _names(name: str, tree: ast.AST) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
