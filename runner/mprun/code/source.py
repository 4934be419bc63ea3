"""The source of one module: what it imports, and a digest of its parsed code. Nothing is imported or executed.

Digests ignore comments, docstrings, blank lines and the layout. Docstrings count if the module mentions `__doc__`.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

SIZE = 16  # bytes of a digest
STAR = "*"
LARGEST = 4 * 1024 * 1024  # bytes; a longer module is data, and parsing it would block the loop for seconds

_WITHOUT_EFFECT = {"ctx", "kind", "type_comment", "type_ignores"}  # fields of nodes that don't change the meaning


class Import(NamedTuple):
    """`import module` (no `names`), or `from module import names`; `level` counts the dots before the module."""

    module: str
    names: tuple[str, ...] = ()
    level: int = 0


class Source(NamedTuple):
    """What counts of a module. `exports` is its `__all__`, if that is a literal."""

    digest: str
    imports: tuple[Import, ...] = ()
    exports: tuple[str, ...] = ()


def read_source(data: bytes) -> Source:
    """Return the module whose file holds `data`; by its bytes and without imports if it is too long or not Python."""
    if len(data) > LARGEST:
        return Source(bytes_digest(data))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes, which are for whoever runs the module
            tree = ast.parse(data)
        nodes = list(ast.walk(tree))
        written: list[str] = []
        _write(tree, _docstrings(nodes), written)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Source(bytes_digest(data))
    text = "\0".join(written).encode("utf-8", "surrogatepass")
    return Source(bytes_digest(text), tuple(dict.fromkeys(_imports(nodes))), _exports(tree))


def bytes_digest(data: bytes) -> str:
    return blake2b(data, digest_size=SIZE).hexdigest()


def _imports(nodes: list[ast.AST]) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", tuple(alias.name for alias in node.names), node.level)


def _exports(tree: ast.Module) -> tuple[str, ...]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets):
            assert isinstance(node, ast.Assign)
            return tuple(_texts(node.value))
    return ()


def _texts(value: ast.expr) -> Iterator[str]:
    for item in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value


def _docstrings(nodes: list[ast.AST]) -> set[int]:
    """Return the identities of the statements that are docstrings or `pass`; none if the module reads docstrings."""
    if any(getattr(node, "attr", getattr(node, "id", "")) == "__doc__" for node in nodes):
        return set()
    first = (node.body[0] for node in nodes if isinstance(node, _WITH_DOCSTRINGS) and node.body)
    return {id(each) for each in (*filter(_is_text, first), *(node for node in nodes if isinstance(node, ast.Pass)))}


_WITH_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _write(value: Any, left_out: set[int], to: list[str]) -> None:
    """Append `value`, a node or a field of one, to `to`, as texts that no other code has."""
    if isinstance(value, list):
        to.append("[")
        for item in value:
            if id(item) not in left_out:
                _write(item, left_out, to)
        to.append("]")
    elif isinstance(value, ast.AST):
        to.append(f"({type(value).__name__}")
        for name, field in ast.iter_fields(value):
            if field is not None and name not in _WITHOUT_EFFECT:
                to.append(name)
                _write(field, left_out, to)
        to.append(")")
    else:
        # Its type stands before it, as `1`, `1.0` and `True` are three constants. A long number has no decimal text.
        to.append(f"{type(value).__name__} {value:#x}" if type(value) is int else repr(value))
