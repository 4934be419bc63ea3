"""The table of sources: each says of itself whatever is asked of any, and nobody else lists them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from plan_builders import plan_of, pool

import mprun
from mprun.engines.supply.table import OF_A_RUN
from mprun.format.items import ItemsFrom, NumbersFrom
from mprun.plan.plan import plan_json
from mprun.planning.build.items import source_of
from mprun.planning.show.items_code import Writing, items_code
from mprun.planning.show.source_text import flat
from mprun.resuming.plan_sources import written_source
from mprun.sources.table import KEYS, KINDS, PickedSource, Site, SliceSource, Source
from unit.test_sources import ALL

PACKAGE = Path(mprun.__file__).parent
PARTS = (SliceSource, PickedSource)

WRITTEN: dict[str, Any] = {
    "range": 3,
    "glob": "*.txt",
    "lines": "a.txt",
    "csv": "a.csv",
    "jsonl": "a.jsonl",
    "call": "jobs:generate",
}
each_source = pytest.mark.parametrize("source", ALL, ids=lambda source: source.kind)


def test_each_kind_is_in_the_table() -> None:
    assert {source.kind: type(source) for source in ALL} == KINDS
    assert WRITTEN.keys() == KEYS.keys()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind not in PARTS], ids=lambda kind: kind.__name__)
def test_each_has_its_traits(kind: type[Source]) -> None:
    """Those that most share are defaults; these are said by each."""
    assert {"TRAITS", "expression", "items"} <= vars(kind).keys()
    if kind in KEYS.values():
        assert "built" in vars(kind)


@each_source
def test_a_part_has_the_traits_of_the_whole(source: Source) -> None:
    assert SliceSource(source, 1).traits == PickedSource(source, (0,), ("0",)).traits == source.traits


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_built_into_its_source(key: str) -> None:
    source = source_of(ItemsFrom.model_validate({key: WRITTEN[key]}), Site("/flows", "/run"))
    assert (type(source), source.kind) == (KEYS[key], key)


def test_a_workflow_takes_their_keys() -> None:
    modifiers = {name for kind in KEYS.values() for name in kind.TRAITS.modifiers}
    assert ItemsFrom.model_fields.keys() == {*KEYS, *modifiers, "skip", "first"}
    assert NumbersFrom.model_fields.keys() == {key for key, kind in KEYS.items() if kind.TRAITS.may_be_axis}


@pytest.mark.parametrize("key", [key for key, kind in KEYS.items() if kind.TRAITS.may_be_axis])
def test_the_values_of_an_axis_are_there_at_once(key: str) -> None:
    assert source_of(NumbersFrom.model_validate({key: WRITTEN[key]}), Site("", "")).sequence() is not None


@each_source
def test_each_is_written_as_python(source: Source) -> None:
    writing = Writing("/flows", lambda target: target.qualname, lambda step: f"results[{step!r}]")
    assert ast.parse(flat(items_code(source, writing)), mode="eval")


@each_source
def test_what_stands_in_the_plan_is_read_back_from_it(source: Source) -> None:
    (step,) = json.loads(plan_json(plan_of(pool("p", "jobs:f", source))))["steps"]
    assert written_source(step["source"]) == (source if source.traits.found_in == "plan" else None)


def test_an_unknown_source_of_a_plan_is_not_read_back() -> None:
    unknown = {"kind": "of another version"}
    assert written_source(unknown) is None
    assert written_source({"kind": "slice", "source": unknown, "skip": 0, "first": 1}) is None


def test_what_only_a_run_has_is_supplied_by_the_engines() -> None:
    assert {kind for kind, of_kind in KINDS.items() if of_kind not in PARTS and of_kind.TRAITS.found_in == "run"} == (
        OF_A_RUN.keys()
    )


# What the sources aren't asked for, and others know by their class: the helpers of `plan --python`, and `allow_empty`.
KNOW_SOME = {"loading/rules/item_files.py"}


def test_nobody_else_knows_a_source_that_gives_its_items_by_itself() -> None:
    by_themselves = {kind.__name__ for kind in KEYS.values() if kind.TRAITS.found_in != "run"}
    knowing = set()
    for path in PACKAGE.rglob("*.py"):
        where = path.relative_to(PACKAGE)
        if where.parts[0] != "sources" and not str(where).startswith(("planning/script", "planning/eject/")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            names = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
            knowing |= {str(where)} if names & by_themselves else set()
    assert knowing == KNOW_SOME
