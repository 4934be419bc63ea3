"""The targets of stdlib_census.yaml: what the source of Python's standard library consists of, by its syntax trees."""

import ast
import sysconfig
import tokenize
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SKIPPED = frozenset({"__pycache__", "dist-packages", "idle_test", "lib2to3", "site-packages", "test", "tests"})
"""Folders of what is installed beside the library, and of tests, some of which are wrong on purpose."""

_COUNTED: dict[type[ast.AST], str] = {
    ast.ClassDef: "classes",
    ast.FunctionDef: "functions",
    ast.AsyncFunctionDef: "coroutines",
    ast.Lambda: "lambdas",
    ast.Import: "imports",
    ast.ImportFrom: "imports",
}

_shares: list[list[Path]] = []


def find_modules(shares: int) -> None:
    """Deal the library's modules out in so many shares: of all workers, each has the same ones."""
    modules = library_modules(Path(sysconfig.get_path("stdlib")))
    _shares[:] = [modules[share::shares] for share in range(shares)]


def library_modules(folder: Path) -> list[Path]:
    """The `.py` files under `folder`, sorted, but for those in SKIPPED folders."""
    found = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return [folder / path for path in sorted(found) if SKIPPED.isdisjoint(path.parts)]


def count_share(share: int) -> dict[str, int]:
    return {"share": share, **count_modules(_shares[share])}


def count_modules(paths: Iterable[Path]) -> dict[str, int]:
    """How many modules, lines, classes, functions … there are; `unreadable` counts files that are not Python."""
    total: Counter[str] = Counter()
    for path in paths:
        try:
            total += count_source(_read(path))
        except (OSError, SyntaxError, ValueError):
            total["unreadable"] += 1
    return dict(sorted(total.items()))


def count_source(source: str) -> Counter[str]:
    """What one module consists of."""
    counts = Counter(_COUNTED[type(node)] for node in ast.walk(ast.parse(source)) if type(node) in _COUNTED)
    return counts + Counter(modules=1, lines=len(source.splitlines()))


def _read(path: Path) -> str:
    """The text of a module, in the encoding that it declares."""
    with tokenize.open(path) as file:
        return file.read()
