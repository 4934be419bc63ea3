"""The YAML reader: YAML 1.2 scalars, merge keys, places and limits, the same with libyaml and without it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from mprun.errors.exceptions import WorkflowError
from mprun.loading.read.yaml_data import FAST_LOADER, MAX_ALIASED_NODES, MAX_DEPTH, YamlData, read_yaml

LOADERS = pytest.mark.parametrize(
    "loader", list(dict.fromkeys([FAST_LOADER, yaml.SafeLoader])), ids=lambda loader: loader.__name__
)

SCALARS: list[tuple[str, Any]] = [
    *[(text, True) for text in ("true", "True", "TRUE")],
    *[(text, False) for text in ("false", "False", "FALSE")],
    *[(text, None) for text in ("", "~", "null", "Null", "NULL")],
    *[(text, text) for text in ("yes", "no", "on", "off", "Yes", "tRUE", "nULL", "y")],
    *[
        (text, text)
        for text in ("12:30", "2026-01-31", "0b1", "1_000", "1e", "0x", "0o8", "+0x1", "--1", "1.2.3", "-.")
    ],
    *[("0", 0), ("10", 10), ("010", 10), ("-5", -5), ("+5", 5), ("0o17", 15), ("0xFF", 255), ("0xff", 255)],
    *[("1e3", 1000.0), ("1.", 1.0), (".5", 0.5), ("-1.5E-2", -0.015), ("+1.0", 1.0)],
    *[(".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf)],
    *[("'5'", "5"), ('"true"', "true"), ("''", ""), ('"\\x41"', "A"), ("jobs:greet", "jobs:greet"), ("a b", "a b")],
]

MERGES: list[tuple[str, Any]] = [
    ("<<: *base\n  b: 9", {"a": 1, "b": 9}),
    ("b: 9\n  <<: *base", {"a": 1, "b": 9}),
    ("<<: [*more, *base]", {"a": 3, "b": 2, "c": 3}),
    ("<<: {a: 5}", {"a": 5}),
    ("'<<': 5", {"<<": 5}),
    ("c: *base", {"c": {"a": 1, "b": 2}}),
    ("*name : 1", {"text": 1}),
]

FATAL: dict[str, tuple[str, str]] = {
    "nesting": ("[" * (MAX_DEPTH + 1), "too-deep"),
    "200,000 brackets": ("[" * 200_000, "too-deep"),
    "200,000 braces": ("{a: " * 200_000, "too-deep"),
    "an alias in itself": ("a: &a [*a]", "cyclic-alias"),
    "an alias in a mapping in itself": ("a: &a {b: {c: *a}}", "cyclic-alias"),
    "a wide alias": (f"- &a [{'1,' * 1000}]\n" + "- *a\n" * (MAX_ALIASED_NODES // 1000), "alias-bomb"),
    "a list as a key": ("{[1]: 2}", "complex-key"),
    "a mapping as a key": ("? {a: 1}\n: 2", "complex-key"),
    "an alias to a list as a key": ("- &a [1]\n- {*a : 2}", "complex-key"),
    "a second document": ("a: 1\n---\nb: 1", "several-documents"),
    "no such anchor": ("a: *b", "unknown-alias"),
    "an open bracket": ("a: [1", "yaml-syntax"),
    "an impossible escape": ('a: "\\UFFFFFFFF"', "yaml-syntax"),
}


def read(text: str, loader: Any = FAST_LOADER) -> YamlData:
    return read_yaml(text, "w.yaml", loader)


@LOADERS
@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars(text: str, value: Any, loader: Any) -> None:
    got = read(f"a: {text}", loader).data["a"]
    assert (got, type(got)) == (value, type(value))


@LOADERS
def test_not_a_number(loader: Any) -> None:
    assert math.isnan(read("a: .nan", loader).data["a"])


@LOADERS
@pytest.mark.parametrize(("text", "value"), MERGES)
def test_merge_keys_and_aliases(text: str, value: Any, loader: Any) -> None:
    anchors = "base: &base {a: 1, b: 2}\nmore: &more {a: 3, c: 3}\nname: &name text\n"
    got = read(f"{anchors}it:\n  {text}\n", loader)
    assert got.data["it"] == value
    assert not got.diagnostics


@LOADERS
@pytest.mark.parametrize("what", FATAL)
@pytest.mark.timeout(10)
def test_limits_and_refusals(what: str, loader: Any) -> None:
    text, code = FATAL[what]
    with pytest.raises(WorkflowError) as caught:
        read(text, loader)
    assert caught.value.diagnostics[-1].code == code


@pytest.mark.parametrize("depth", [1, MAX_DEPTH])
def test_as_deep_as_is_allowed(depth: int) -> None:
    assert not read("[" * depth + "]" * depth).diagnostics


@LOADERS
def test_collected_mistakes_leave_the_rest(loader: Any) -> None:
    got = read(f"a: 1\na: 2\nb: !x 3\nc: {'9' * 2000}\nd: 4", loader)
    assert [d.code for d in got.diagnostics] == ["duplicate-key", "tag", "big-number"]
    assert got.spoiled == {("a",), ("b",), ("c",)}
    assert (got.data["a"], got.data["d"]) == (1, 4)


@pytest.mark.parametrize(("one", "other"), [("1", "0x1"), ("a", "'a'"), ("1", "true"), ("~", "null")])
def test_keys_that_are_one_in_python(one: str, other: str) -> None:
    assert [d.code for d in read(f"{{{one}: a, {other}: b}}").diagnostics] == ["duplicate-key"]


@LOADERS
def test_places(loader: Any) -> None:
    text = "a:\n  b: [x, 'yy']\nbase: &base\n  k: v\nm:\n  <<: *base\nal: *base\nno:\nn: &n 1.10\n"
    places = read(text, loader).places
    key = {
        ("a", "b"): "2:3 b",
        ("m", "k"): "4:3 k",
        ("al",): "7:1 al",
        ("al", "k"): "4:3 k",
        ("a", "b", 1): "2:10 'yy'",
    }
    value = {
        ("a", "b", 0): "2:7 x",
        ("a", "b"): "2:6 [x, 'yy']",
        ("a",): "1:1 a",  # an indented block is shown by its key
        ("m", "k"): "4:6 v",
        ("al",): "7:5 *base",
        ("n",): "9:7 1.10",
        ("no",): "8:1 no",  # nothing has no place of its own
        ("a", "b", 0, "deeper"): "2:7 x",
        ("nowhere",): "1:1 a",
    }
    assert {path: _marked(places.key(path)) for path in key} == key
    assert {path: _marked(places.value(path)) for path in value} == value
    assert places.text(("al", "k")) == "v"


def _marked(place: Any) -> str:
    return f"{place.line}:{place.column} {place.text[place.column - 1 :][: place.length]}"
