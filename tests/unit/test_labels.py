"""What tasks and cells are called, and how a cell is found by what it is called."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mprun.language.labels import MAX_LABEL, key_of, label_by_field, label_of, unique
from mprun.language.references import Reference, parse
from mprun.plan import cells
from mprun.plan.cells import Labels, find_cell, labels
from mprun.sources.table import (
    CsvSource,
    ListSource,
    MatrixSource,
    PickedSource,
    RangeSource,
    SliceSource,
    Source,
    ZipSource,
)


def axes(**values: list[Any]) -> tuple[tuple[str, Source], ...]:
    return tuple((name, ListSource(tuple(given))) for name, given in values.items())


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("north", "north"),
        ({"model": "cnn", "depth": 3}, "cnn-3"),
        ({"lr": 0.1, "layers": [64, 32], "opt": {"name": "adam", "amsgrad": True}}, "0.1-64,32-adam-true"),
        (None, "null"),
        (False, "false"),
        ([-1, 1e300], "-1,1e+300"),
        (Path("/a b/c"), "/a b/c"),
        ("", '""'),
        ([], '""'),
        ("a\nb\x1b\u202e\ud800\x00", r"a\nb\x1b\u202e\ud800\x00"),
        ("é🙂", "é🙂"),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 63 + "…"),
        ("\n" * 1000, r"\n" * 31 + "\\…"),
    ],
)
def test_the_label_of_a_value(value: Any, label: str) -> None:
    assert label_of(value) == label
    assert len(label) <= MAX_LABEL


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("name", "north"),
        ("at.city", "Oslo"),
        ("at.points.1", "3,4"),
        ("at.points.1.0", "3"),
        ("at", "Oslo-1,2,3,4"),
        ("none", "null"),
        ("at.country", None),
        ("name.0", None),
        ("at.points.2", None),
        ("at.points.-1", None),
        ("at.points.x", None),
        ("", None),
        ("name.", None),
    ],
)
def test_a_field_labels_a_task(field: str, label: str | None) -> None:
    value = {"name": "north", "at": {"city": "Oslo", "points": [[1, 2], [3, 4]]}, "none": None}
    assert label_by_field(value, field) == label


class Odd:
    """An item of the user's own."""

    name = "north"

    @property
    def broken(self) -> str:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("item", "keys", "key"),
    [
        ({"name": "north"}, "name", "north"),
        ({"at": [{"city": "Oslo"}]}, "at.0.city", "Oslo"),
        ({"name": "north"}, "nam", None),
        ("north", "name", None),
        ("a\nb", "${item}", r"a\nb"),
        ({"name": "north", "n": None}, "${item.name} of ${item.n}", "north of null"),
        ({"name": ""}, "${item.name}", '""'),
        ({"name": "north"}, "${item.name} of ${item.n}", None),
        ({"lr": 0.1, "depth": 2}, "${matrix.lr}/${matrix.depth}", "0.1/2"),
        ("x" * 100, "<${item}>", "<" + "x" * 62 + "…"),
        (Odd(), "name", None),
        (Odd(), "${item.name}", "north"),
        (Odd(), "${item.broken}", None),
        (Odd(), "${item}", None),
    ],
)
def test_the_key_of_an_item(item: Any, keys: str, key: str | None) -> None:
    assert key_of(item, parse(keys)) == key


@pytest.mark.parametrize(
    ("bare", "told"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "b", "a"], ["a", "a#1", "b", "a#3"]),
        (["a#1", "a#2", "a", "a"], ["a#1", "a#2", "a", "a#3"]),
        (["a#2", "a", "a", "a"], ["a#2", "a", "a##2", "a#3"]),
        (["x" * 64, "x" * 64], ["x" * 64, "x" * 61 + "…#1"]),
    ],
)
def test_a_double_label_has_its_index(bare: list[str], told: list[str]) -> None:
    assert list(unique(bare)) == told


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (RangeSource(0, 3, 1), ["0", "1", "2"]),
        (ListSource(("a", "b", "a")), ["a", "b", "a#2"]),
        (ListSource((1, True, "1", "true")), ["1", "true", "1#2", "true#3"]),
        (ZipSource(axes(a=["x", "x"], b=[1, 1])), ["x-1", "x-1#1"]),
        (MatrixSource(axes(model=["cnn", "mlp"], depth=[1, 2])), ["cnn-1", "cnn-2", "mlp-1", "mlp-2"]),
        (MatrixSource(axes(a=["a", "a-b"], b=["b-c", "c"])), ["a-b-c", "a-c", "a-b-b-c", "a-b-c#3"]),
        (MatrixSource(axes(a=[1, "1"], b=[0])), ["1-0", "1-0#1"]),
        (MatrixSource(axes(a=["x" * 63], b=["y", "yy"])), ["x" * 63 + "…", "x" * 61 + "…#1"]),
        # What `include` adds to a combination is no part of its label; one that lacks an axis is called by all it has.
        (
            MatrixSource(axes(a=[1], b=[2]), ({"a": 1, "x": "more"}, {"x": 5, "b": 3, "a": 1}, {"y": 1, "a": True})),
            ["1-2", "1-3", "1-true"],
        ),
        (MatrixSource((), ({"a": 1, "b": 2},)), ["1-2"]),
        (SliceSource(MatrixSource(axes(a=["x", "y"], b=["z"])), 1), ["y-z"]),
        (PickedSource(ListSource(("a", "b", "a")), (1, 2), ("b", "a#2")), ["b", "a#2"]),
        (SliceSource(PickedSource(ListSource(("a", "b", "a")), (1, 2), ("b", "a#2")), 1), ["a#2"]),
    ],
)
def test_labels_of_a_source(source: Source, told: list[str]) -> None:
    given = Labels(source)
    assert list(labels(source)) == [given.of_next(item) for item in source.items()] == told
    for index, (label, item) in enumerate(zip(told, source.items(), strict=True)):
        assert find_cell(source, label) == (index, item)
    assert find_cell(source, "nothing like it") is None


def test_a_record_that_cannot_be_read_is_called_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n3\n")
    source = CsvSource(str(tmp_path / "data.csv"), str(tmp_path))
    assert list(labels(source)) == ["1-2", "data.csv:3"]
    assert find_cell(source, "1-2") == (0, (2, ["1", "2"]))


@pytest.mark.parametrize(
    ("source", "keys", "told"),
    [
        (ListSource(({"n": 1, "name": "a"}, {"n": 2, "name": "b"}, {"n": 3, "name": "a"})), "name", ["a", "b", "a#2"]),
        (ListSource(({"name": "a"}, {"other": "b"}, "c")), "name", ["a", "b", "c"]),
        (RangeSource(0, 2, 1), "n-${item}", ["n-0", "n-1"]),
        (MatrixSource(axes(a=["x", "y"], b=[1, 2])), "${matrix.a}", ["x", "x#1", "y", "y#3"]),
        (SliceSource(ZipSource(axes(a=["x", "y"], b=[1, 2])), 1), "b", ["2"]),
    ],
)
def test_labels_by_keys(source: Source, keys: str, told: list[str]) -> None:
    """What has no key is called by its value."""
    given = Labels(source, parse(keys))
    assert list(labels(source, parse(keys))) == [given.of_next(item) for item in source.items()] == told
    for index, (label, item) in enumerate(zip(told, source.items(), strict=True)):
        assert find_cell(source, label, parse(keys)) == (index, item)


def test_labels_of_records_by_keys(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n3\n")
    source = CsvSource(str(tmp_path / "data.csv"), str(tmp_path))
    assert list(labels(source, "b")) == ["2", "data.csv:3"]
    assert list(labels(source, Reference("item", ("a",)))) == ["1", "data.csv:3"]


NAMES = [f"v{number}" for number in range(1000)]


@pytest.mark.parametrize(
    ("source", "remembered"),
    [
        (RangeSource(0, 10**9, 1), False),
        (MatrixSource((("a", RangeSource(-500, 500, 1)), ("b", RangeSource(0, 10**6, 1)))), False),
        (MatrixSource(axes(a=NAMES, b=["x-1", "x-2"]), (), ({"a": "v1"},)), False),
        (SliceSource(MatrixSource(axes(a=NAMES, b=NAMES)), 10**5), False),
        (MatrixSource(axes(a=["x" * 62, "y" * 62], b=[1])), False),
        (MatrixSource(axes(a=["x" * 63, "y" * 63], b=[1])), True),
        (MatrixSource((("a", RangeSource(-1, 1, 1)), ("b", RangeSource(-1, 1, 1)))), True),
        (MatrixSource(axes(a=[1, "1"])), True),
        (MatrixSource(axes(a=NAMES), ({"a": "v1"},)), True),
        (MatrixSource((("a", RangeSource(0, 0, 1)),)), False),
        (ListSource(("a", "b")), True),
    ],
)
def test_labels_are_remembered_only_where_two_could_be_the_same(
    monkeypatch: pytest.MonkeyPatch, source: Source, remembered: bool
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(cells, "unique", lambda bare: asked.append(True) or unique(bare))
    first = list(islice(labels(source), 5))
    assert len(set(first)) == len(first)
    assert bool(asked) == remembered
