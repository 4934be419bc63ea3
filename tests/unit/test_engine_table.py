"""The table of engines: each row is whole, and no engine's name stands in code outside of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import mprun
from mprun.engines.table import (
    FAN_OUT_EXECUTION,
    INLINE_ENGINE,
    INLINE_EXECUTION,
    POOL_ENGINES,
    PROCESS_EXECUTION,
    USUAL_ENGINE,
    EngineTraits,
)
from mprun.format.steps import PoolEntry

PACKAGE = Path(mprun.__file__).parent
TABLE = PACKAGE / "engines" / "table.py"
EXECUTIONS = [*(traits.execution for traits in POOL_ENGINES.values()), INLINE_EXECUTION, PROCESS_EXECUTION]
NAMES = [*POOL_ENGINES, INLINE_ENGINE]

# A name by itself, or as people write it in a message or search for it in a file.
NAMED = re.compile(rf"({'|'.join(NAMES)})|.*(`|engine: )({'|'.join(NAMES)})`.*", re.DOTALL)


def texts(code: str) -> Iterator[str]:
    """The strings and bytes in `code` that aren't docstrings."""
    tree = ast.parse(code)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            if isinstance(node.value, str):
                yield node.value
            elif isinstance(node.value, bytes):
                yield node.value.decode(errors="replace")


SEARCHED = """
def f(step, text):
    "Docstrings may say `stdlib`."
    return step.engine == "local" or b"stdlib" in text, f"the engine `stdlib` can't {step}", "a local folder"
"""


def test_what_is_searched_for() -> None:
    found = {text for text in texts(SEARCHED) if NAMED.fullmatch(text)}
    assert found == {"local", "stdlib", "the engine `stdlib` can't "}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_name_of_an_engine_stands_outside_the_table(path: Path) -> None:
    if path != TABLE:
        assert [text for text in texts(path.read_text(encoding="utf-8")) if NAMED.fullmatch(text)] == []


@pytest.mark.parametrize("execution", [*EXECUTIONS, FAN_OUT_EXECUTION])
def test_each_execution_is_where_the_table_says(execution: str) -> None:
    module, _, name = execution.partition(":")
    assert getattr(import_module(module), name).__module__ == module


@pytest.mark.parametrize("traits", POOL_ENGINES.values(), ids=POOL_ENGINES)
def test_each_engine_has_its_traits(traits: EngineTraits) -> None:
    assert traits.described
    assert set(traits.refuses) <= set(PoolEntry.model_fields)
    assert all((*traits.refuses.values(), *traits.refuses_items.values()))
    assert all(find_spec(module) for module in traits.preloads)


def test_the_usual_engine_refuses_nothing() -> None:
    """Messages send people to it."""
    usual = POOL_ENGINES[USUAL_ENGINE]
    assert usual == EngineTraits(usual.execution, usual.described)
