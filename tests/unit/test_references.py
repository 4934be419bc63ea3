"""`${…}`: how texts are read, and what becomes of them once their references are known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mprun.language.references import (
    Reference,
    ReferenceSyntaxError,
    Template,
    escaped,
    evaluate,
    follow,
    parse,
    references_in,
    settle,
)

X = Reference("params", ("x",))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${params.x}", X),
        ("${ params.x }", X),
        ("${item}", Reference("item")),
        ("${item.name.0}", Reference("item", ("name", "0"))),
        ("${matrix.lr-2}", Reference("matrix", ("lr-2",))),
        (" ${params.x}", Template((" ", X))),
        ("${params.x}${params.x}", Template((X, X))),
        ("a ${params.x} b", Template(("a ", X, " b"))),
        ("$${params.x}", "${params.x}"),
        ("$$", "$$"),
        ("$${a} ${params.x}", Template(("${a} ", X))),
        ("$$${params.x}", "$${params.x}"),
        ("$x {y} $(z)", "$x {y} $(z)"),
        ("${nonsense.x}", Reference("nonsense", ("x",))),
    ],
)
def test_reading(text: str, read: Any) -> None:
    assert parse(text) == read


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("${params.x", "${params.x"),
        ("a ${", "${"),
        ("${}", "${}"),
        ("${params}", "${params}"),
        ("${params.}", "${params.}"),
        ("${.x}", "${.x}"),
        ("${params.x | upper}", "${params.x | upper}"),
        ("${params['x']}", "${params['x']}"),
        ("${__import__('os')}", "${__import__('os')}"),
    ],
)
def test_what_is_no_reference(text: str, wrong: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as refused:
        parse(text)
    assert refused.value.text == wrong


@pytest.mark.parametrize("text", ["", "a", "${", "$${", "$$${x}", "}${params.x}{", "${${"])
def test_escaped_text_is_read_as_itself(text: str) -> None:
    assert parse(escaped(text)) == text


@pytest.mark.parametrize("text", ["${params.x}", "a ${params.x}$${b}", "$${a} ${item}"])
def test_what_was_read_is_written_as_it_was(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("known", "alone", "inside"),
    [
        (5, 5, "=5="),
        (1.5, 1.5, "=1.5="),
        ("a", "a", "=a="),
        (True, True, "=true="),
        (None, None, "=null="),
        ([1, "a"], [1, "a"], '=[1, "a"]='),
        ({"a": 1}, {"a": 1}, '={"a": 1}='),
        (date(2026, 1, 31), date(2026, 1, 31), "=2026-01-31="),
        ("${params.y}", "${params.y}", "=${params.y}="),
    ],
)
def test_alone_it_keeps_its_type_and_inside_a_text_it_is_written_out(known: Any, alone: Any, inside: str) -> None:
    assert evaluate(parse("${params.x}"), lambda reference: known) == alone
    assert evaluate(parse("=${params.x}="), lambda reference: known) == inside


def test_evaluating_goes_into_lists_and_mappings_and_leaves_the_rest_as_it_is() -> None:
    untouched = {"a": [1, 2]}
    value = [untouched, {"b": (X, Template(("n", X)))}]
    evaluated = evaluate(value, lambda reference: 7)
    assert evaluated == [untouched, {"b": (7, "n7")}]
    assert evaluated[0] is untouched
    assert list(references_in(value)) == [X, X]


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": {"b": 1}}, ("a", "b"), 1),
        ({1: "one"}, ("1",), "one"),
        ([10, 20], ("1",), 20),
        ([10, 20], ("-1",), 20),
        (date(2026, 1, 31), ("year",), 2026),
        (5, (), 5),
    ],
)
def test_following_a_path(value: Any, path: tuple[str, ...], found: Any) -> None:
    assert follow(value, path) == found


@pytest.mark.parametrize(
    ("value", "path", "told"),
    [
        ({"a": 1}, ("b",), "it has no `b`: it is a mapping with a"),
        ([1], ("1",), "it has no `1`: it is a list"),
        ([1], ("__class__",), "it has no `__class__`: it is a list"),
        (5, ("_private",), "it has no `_private`: it is an int"),
        ("a", ("title",), "it has no `title`: it is a text, which has `name`, `stem`, `suffix`, `parent` as a path"),
        (5, ("real",), "it has no `real`: it is an int"),
        ([1], ("count",), "it has no `count`: it is a list"),
        (date(2026, 1, 31), ("isoformat",), "it has no `isoformat`: it is a date"),
        ({"a": {"b": 1}}, ("a", "c"), "it has no `c`: it is a mapping with b"),
    ],
)
def test_a_path_that_leads_nowhere(value: Any, path: tuple[str, ...], told: str) -> None:
    with pytest.raises(LookupError) as refused:
        follow(value, path)
    assert str(refused.value) == told


def test_what_is_not_known_yet_stays() -> None:
    def lookup(reference: Reference) -> Any:
        return 7 if reference == X else reference

    assert settle([parse("${params.x}"), parse("a${params.x}-${item}b${params.x}"), "c"], lookup) == [
        7,
        Template(("a7-", Reference("item"), "b7")),
        "c",
    ]
    assert settle({"a": (parse("${params.x}!"),)}, lookup) == {"a": ("7!",)}
