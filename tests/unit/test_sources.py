"""Sources of items: what each yields and counts, and what becomes of files that are not as they should be."""

from __future__ import annotations

import json
import math
import os
import pickle
import sys
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from plan_builders import plan_of, pool

from mprun.errors.exceptions import ItemError
from mprun.language.targets import parse_target
from mprun.plan.plan import plan_json
from mprun.sources import grid
from mprun.sources.table import (
    MAX_AXES,
    CallSource,
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    ListSource,
    MatrixSource,
    PickedSource,
    RangeSource,
    ResultsSource,
    SliceSource,
    Source,
    ZipSource,
)


def numbers(*arguments: int) -> RangeSource:
    sizes = range(*arguments)
    return RangeSource(sizes.start, sizes.stop, sizes.step)


def axes(**values: Any) -> tuple[tuple[str, Source], ...]:
    """An axis of the numbers below an int, or of the values in a list."""
    return tuple(
        (name, numbers(given) if isinstance(given, int) else ListSource(tuple(given))) for name, given in values.items()
    )


def decoded(source: Source) -> list[Any]:
    """What the calls of each item are given; for an item that can't be used, why."""
    decoding = pickle.loads(pickle.dumps(source.decoding()))
    values: list[Any] = []
    for item in pickle.loads(pickle.dumps(list(source.items()))):
        try:
            values.append(decoding.value(item))
        except ItemError as error:
            values.append(f"{decoding.place(item)}: {error.message}")
    return values


# -- files of records


def csv_of(folder: Path, data: str | bytes, **options: Any) -> CsvSource:
    (folder / "data.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
    return CsvSource(str(folder / "data.csv"), str(folder), **options)


def jsonl_of(folder: Path, data: str | bytes) -> JsonlSource:
    (folder / "data.jsonl").write_bytes(data if isinstance(data, bytes) else data.encode())
    return JsonlSource(str(folder / "data.jsonl"), str(folder))


AB = [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("data", "values"),
    [
        ("a,b\n1,2\n", AB),
        ("a,b\n1,2", AB),
        ("a,b\r\n1,2\r\n", AB),
        ("a,b\r1,2\r", AB),
        ("\n\na,b\n\n1,2\n\n", AB),
        ("\ufeffa,b\n1,2\n", AB),
        ('\ufeff"a","b"\n"1","2"\n', AB),
        ("a,b\n", []),
        ("a\n\x00\n", [{"a": "\0"}]),
        ('a\n""\n', [{"a": ""}]),
        ('a,b\n"x\ny\r\nz","say ""hi"""\n', [{"a": "x\ny\r\nz", "b": 'say "hi"'}]),
        ("a, b\n 1, 2\n", [{"a": " 1", " b": " 2"}]),
        ("größe,name\n1,é\u2028\n", [{"größe": "1", "name": "é\u2028"}]),
        ("a,b\n1\n", ["data.csv:2: 1 field, and the header names 2"]),
        ("a,b\n1,2,3\n1,2\n", ["data.csv:2: 3 fields, and the header names 2", *AB]),
        ('a,b\n"1\n\n",2\n1\n', [{"a": "1\n\n", "b": "2"}, "data.csv:5: 1 field, and the header names 2"]),
        (b"a,b\n\xff,2\n1,2\n", ["data.csv:2: not UTF-8 text", *AB]),
        ('a,b\n"x"y,2\n1,2\n', ["""data.csv:2: ',' expected after '"'""", *AB]),
        ('a,b\n1,2\n"x\ny', [*AB, "data.csv:3: unexpected end of data"]),
        ("a,b\n" + "x" * 131073 + ",2\n1,2\n", ["data.csv:2: field larger than field limit (131072)", *AB]),
    ],
)
def test_rows_of_a_csv_file(tmp_path: Path, data: str | bytes, values: list[Any]) -> None:
    """A row that can't be used fails by itself, with the line that it begins on."""
    assert decoded(csv_of(tmp_path, data)) == values


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_the_delimiter_of_a_csv_file(tmp_path: Path, delimiter: str) -> None:
    data = f"a{delimiter}b\n1,5{delimiter}2\n"
    assert decoded(csv_of(tmp_path, data, delimiter=delimiter)) == [{"a": "1,5", "b": "2"}]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("", "data.csv:1: the file is empty, and its first row has to name the columns"),
        ("\ufeff\n\n", "data.csv:1: the file is empty, and its first row has to name the columns"),
        ("a,,c\n1,2,3\n", "data.csv:1: column 2 has no name"),
        ("\n a ,\t\n", "data.csv:2: column 2 has no name"),
        ("a,b,a\n1,2,3\n", "data.csv:1: columns 1 and 3 are both named 'a'"),
        ('"a"b,c\n1,2\n', """data.csv:1: ',' expected after '"'"""),
        (b"a,\xff\n1,2\n", "data.csv:1: not UTF-8 text"),
    ],
)
def test_a_header_that_names_no_columns_fails_the_file(tmp_path: Path, data: str | bytes, told: str) -> None:
    source = csv_of(tmp_path, data)
    for use in (source.items, source.decoding):
        with pytest.raises(ItemError) as caught:
            use()
        assert str(caught.value) == told


@pytest.mark.parametrize(
    ("data", "values"),
    [
        ('{"a": 1}\n[2]\n', [{"a": 1}, [2]]),
        ('1\r\n\n \t \n"x"', [1, "x"]),
        ("", []),
        ('\ufeff"é"\n', ["é"]),
        ('{"a": 1, "a": 2}\n', [{"a": 2}]),
        ("Infinity\n-0.0\n1e400\n", [math.inf, 0.0, math.inf]),
        ('"\u2028"\n"\\ud800"\n', ["\u2028", "\ud800"]),
        ("1\n\n{\n2\n", [1, "data.jsonl:3: Expecting property name enclosed in double quotes at character 2", 2]),
        ("1 2\n", ["data.jsonl:1: Extra data at character 3"]),
        (b'"\xff"\n1\n', ["data.jsonl:1: byte 2 is not UTF-8", 1]),
        ("[" * 100_000 + "\n1\n", ["data.jsonl:1: maximum recursion depth exceeded", 1]),
        ("9" * 5000 + "\n1\n", ["data.jsonl:1: Exceeds the limit (4300 digits)", 1]),
    ],
)
def test_values_of_a_jsonl_file(tmp_path: Path, data: str | bytes, values: list[Any]) -> None:
    got = decoded(jsonl_of(tmp_path, data))
    assert len(got) == len(values)
    for value, wanted in zip(got, values, strict=True):
        assert value == wanted or value.startswith(wanted)


def test_nan_is_read_as_json_reads_it(tmp_path: Path) -> None:
    (value,) = decoded(jsonl_of(tmp_path, "NaN\n"))
    assert math.isnan(value)


def test_the_parent_decodes_nothing(tmp_path: Path) -> None:
    """It hands over bytes, and a row as the C reader gives it; what is wrong with them it doesn't see."""
    assert list(jsonl_of(tmp_path, b"\xff\n{\n").items()) == [(1, b"\xff\n"), (2, b"{\n")]
    assert list(csv_of(tmp_path, "a,b\n1\n").items()) == [(2, ["1"])]


def test_files_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    """The first item is there before the second is written."""
    for source, more in ((jsonl_of(tmp_path, b"1\n"), b"2\n"), (csv_of(tmp_path, "a\n1\n"), b"2\n")):
        items = iter(source.items())
        next(items)
        with open(source.path, "ab") as file:
            file.write(more)
        assert len(list(items)) == 1


@pytest.mark.parametrize("kind", [LinesSource, JsonlSource, CsvSource])
def test_only_regular_files_are_opened(tmp_path: Path, kind: Any) -> None:
    """A pipe that nobody writes to would hold the run up for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path, error in ((tmp_path / "pipe", OSError), (tmp_path, OSError), (tmp_path / "none", FileNotFoundError)):
        with pytest.raises(error, match=path.name):
            list(kind(str(path)).items())


def test_places_are_told_from_the_folder_of_the_children(tmp_path: Path) -> None:
    path = str(tmp_path / "in" / "x.jsonl")
    for cwd, told in ((tmp_path, "in/x.jsonl:7"), (tmp_path / "in", "x.jsonl:7"), (tmp_path / "i", f"{path}:7")):
        decoding = JsonlSource(path, str(cwd)).decoding()
        assert decoding is not None
        assert decoding.place((7, b"")) == told


def test_an_error_of_an_item_survives_the_way_to_the_parent() -> None:
    error = pickle.loads(pickle.dumps(ItemError("data.csv:17", "not UTF-8 text")))
    assert (error.place, error.message, str(error)) == ("data.csv:17", "not UTF-8 text", "data.csv:17: not UTF-8 text")


# -- slices


@pytest.mark.parametrize(
    ("skip", "first", "items"),
    [
        (0, None, [0, 1, 2, 3, 4]),
        (0, 2, [0, 1]),
        (3, None, [3, 4]),
        (3, 1, [3]),
        (3, 9, [3, 4]),
        (9, 2, []),
        (0, 0, []),
    ],
)
def test_a_slice_of_whatever_source(tmp_path: Path, skip: int, first: int | None, items: list[int]) -> None:
    for source in (ListSource((0, 1, 2, 3, 4)), numbers(5)):
        part = SliceSource(source, skip, first)
        assert (list(part.items()), part.count(), list(part.sequence() or ())) == (items, len(items), items)
    streamed = SliceSource(jsonl_of(tmp_path, "0\n1\n2\n3\n4\n"), skip, first)
    assert (decoded(streamed), streamed.count(), streamed.sequence()) == (items, None, None)
    assert list(streamed.cut(iter(range(5)))) == items


def test_a_slice_reads_no_further_than_it_must() -> None:
    endless = count()
    assert list(SliceSource(ResultsSource("x"), 2, 2).cut(endless)) == [2, 3]
    assert next(endless) == 4


def test_a_slice_may_be_larger_than_anything() -> None:
    huge = 10**30
    assert list(SliceSource(SliceSource(numbers(3), 1, huge), 0, huge).items()) == [1, 2]
    assert list(SliceSource(numbers(3), huge).items()) == []
    assert list(SliceSource(ResultsSource("x"), huge).cut(iter("abc"))) == []


@pytest.mark.parametrize("indexes", [(), (0,), (1, 2, 4), (4,), (0, 3)])
def test_picked_items(tmp_path: Path, indexes: tuple[int, ...]) -> None:
    called = tuple(map(str, indexes))
    for source in (ListSource((0, 1, 2, 3, 4)), numbers(5), jsonl_of(tmp_path, "0\n1\n2\n3\n4\n")):
        picked = PickedSource(source, indexes, called)
        assert (picked.values(), picked.count()) == (list(indexes), len(indexes))
        assert (picked.sequence() is None) == (source.sequence() is None)


# -- matrices


GITHUB = MatrixSource(  # the example of its documentation
    axes(fruit=["apple", "pear"], animal=["cat", "dog"]),
    include=(
        {"color": "green"},
        {"color": "pink", "animal": "cat"},
        {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ),
)


@pytest.mark.parametrize(
    ("source", "cells"),
    [
        (MatrixSource(axes(a=[1, 2], b=2)), ["a=1 b=0", "a=1 b=1", "a=2 b=0", "a=2 b=1"]),
        (MatrixSource(axes(a=[1, 2], b=[3]), exclude=({"a": 2, "b": 3},)), ["a=1 b=3"]),
        (MatrixSource(axes(a=3, b=2), exclude=({"a": [0, 2]},)), ["a=1 b=0", "a=1 b=1"]),
        (MatrixSource(axes(a=3, b=2), exclude=({"a": [1, 2], "b": 1}, {"b": 0})), ["a=0 b=1"]),
        (MatrixSource(axes(a=3), exclude=({"a": 7}, {"a": 1, "z": 1}, {"a": True})), ["a=0", "a=1", "a=2"]),
        (MatrixSource(axes(a=[1, True, 1.0, "1"]), exclude=({"a": 1},)), ["a=True", "a='1'"]),
        (MatrixSource(axes(a=[1, True, 0, False]), exclude=({"a": [True, 0.0]},)), ["a=1", "a=False"]),
        (MatrixSource(axes(a=[[1], [True], [1, 2]]), exclude=({"a": [[1.0], 2]},)), ["a=[True]", "a=[1, 2]"]),
        (MatrixSource(axes(a=[{"b": 1}, {"b": 2}, None]), exclude=({"a": [{"b": 1}, None]},)), ["a={'b': 2}"]),
        (MatrixSource(axes(a=[math.nan, "nan"]), exclude=({"a": math.nan},)), ["a='nan'"]),
        (MatrixSource(axes(a=[1, 1]), include=({"a": 1, "b": 2},)), ["a=1 b=2", "a=1 b=2"]),
        (MatrixSource(axes(a=[1, 2]), include=({"a": True},)), ["a=1", "a=2", "a=True"]),
        (MatrixSource(axes(a=[1, 2]), include=({"b": 1}, {"a": 2, "b": 2})), ["a=1 b=1", "a=2 b=2"]),
        (MatrixSource(axes(a=[1, 2]), include=({"a": 3, "b": 0}, {"b": 1})), ["a=1 b=1", "a=2 b=1", "a=3 b=0"]),
        # What is excluded can't be extended, so its inclusion is one more.
        (MatrixSource(axes(a=2), ({"a": 1, "b": 5},), ({"a": 1},)), ["a=0", "a=1 b=5"]),
        (MatrixSource(axes(a=2), ({"b": 5},), ({"a": [0, 1]},)), ["b=5"]),
        (MatrixSource(axes(a=2), (), ({},)), []),
        (MatrixSource((), ({"a": 1}, {"b": 2})), ["a=1", "b=2"]),
        (MatrixSource(axes(a=[], b=2), ({"b": 1, "c": 3},)), ["b=1 c=3"]),
        (
            GITHUB,
            [
                "fruit='apple' animal='cat' color='pink' shape='circle'",
                "fruit='apple' animal='dog' color='green' shape='circle'",
                "fruit='pear' animal='cat' color='pink'",
                "fruit='pear' animal='dog' color='green'",
                "fruit='banana'",
                "fruit='banana' animal='cat'",
            ],
        ),
    ],
)
def test_the_cells_of_a_matrix(source: MatrixSource, cells: list[str]) -> None:
    told = [" ".join(f"{name}={value!r}" for name, value in cell.items()) for cell in source.items()]
    assert (told, source.count()) == (cells, len(cells))


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The values that a matrix looks at."""
    looked_at: list[Any] = []
    key = grid.value_key

    def value_key(value: Any) -> Any:
        looked_at.append(value)
        return key(value)

    monkeypatch.setattr(grid, "value_key", value_key)
    return looked_at


HUNDRED = [f"v{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("source", "cells", "most"),
    [
        (MatrixSource(axes(a=1000, b=1000)), 10**6, 0),
        (MatrixSource(axes(a=HUNDRED, b=HUNDRED, c=100)), 10**6, 0),
        (MatrixSource(axes(a=10**6), exclude=({"a": [0, 7]},)), 10**6 - 2, 10),
        (MatrixSource(axes(a=HUNDRED, b=10**4), exclude=({"a": "v1", "b": [1, 2]},)), 10**6 - 2, 200),
        (MatrixSource(axes(a=HUNDRED, b=HUNDRED, c=100), ({"a": "v1", "x": 1},), ({"c": 1},)), 10**6 - 10**4, 200),
        (MatrixSource(axes(**{f"a{n}": 10 for n in range(20)}), ({"a0": 99},), ({"a1": 1, "a9": 2},)), None, 10),
    ],
)  # fmt: skip
def test_a_million_cells_are_counted_without_going_through_them(
    compared: list[Any], source: MatrixSource, cells: int | None, most: int
) -> None:
    assert source.count() == (cells or 10**20 - 10**18 + 1)
    assert len(compared) <= most
    compared.clear()
    assert len(list(islice(source.items(), 5))) == 5
    assert len(compared) <= most + 5 * len(source.axes)


def test_exclusions_that_overlap_are_counted_once() -> None:
    """No two neighbours of 12 axes are both 1: the cells are as many as a Fibonacci number."""
    names = [f"a{number}" for number in range(12)]
    exclude = tuple({a: 1, b: 1} for a, b in pairwise(names))
    source = MatrixSource(axes(**dict.fromkeys(names, 2)), exclude=exclude)
    assert source.count() == len(list(source.items())) == 377


def test_a_matrix_gives_any_cell_and_any_slice_at_once() -> None:
    source = MatrixSource(axes(a=1000, b=1000), include=({"a": 999, "x": 1}, {"a": -1}))
    sequence = source.sequence()
    assert sequence is not None
    assert len(sequence) == 10**6 + 1
    assert [sequence[i] for i in (0, 1001, 999_999, -1)] == [
        {"a": 0, "b": 0}, {"a": 1, "b": 1}, {"a": 999, "b": 999, "x": 1}, {"a": -1},
    ]  # fmt: skip
    part = sequence[2:999_999:7][1:3]
    assert len(part) == 2
    assert pickle.loads(pickle.dumps(part)) == list(part) == [{"a": 0, "b": 9}, {"a": 0, "b": 16}]
    with pytest.raises(IndexError):
        sequence[10**6 + 1]
    assert list(SliceSource(source, 10**6, 5).items()) == [{"a": -1}]


def test_a_matrix_too_large_for_a_sequence_still_streams() -> None:
    source = MatrixSource(axes(**{f"a{number}": 2 for number in range(MAX_AXES)}))
    assert source.count() == 2**MAX_AXES > sys.maxsize
    assert source.sequence() is None
    assert [cell["a99"] for cell in islice(source.items(), 3)] == [0, 1, 0]


def test_exclusions_that_match_nothing_are_named() -> None:
    exclude = ({"a": 1}, {"a": [-7, 2.0]}, {"a": True, "b": "x"}, {"c": 1}, {"b": ["y", None], "a": []})
    source = MatrixSource(axes(a=10**9, b=["x"]), exclude=exclude)
    assert list(source.idle_exclusions()) == [(2, "a"), (3, "c"), (4, "b"), (4, "a")]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MatrixSource((("a", LinesSource("/x")),)), "the axis a is neither a list nor a range"),
        (lambda: ZipSource((("a", ResultsSource("x")),)), "the axis a is neither a list nor a range"),
        (lambda: MatrixSource((*axes(a=1), *axes(a=1))), "two axes of the same name"),
        (lambda: MatrixSource(axes(**{f"a{number}": 2 for number in range(101)})), "a matrix has at most 100 axes"),
        (lambda: ZipSource(axes(a=[1, 2], b=3)), "axes of unequal lengths: a 2, b 3"),
    ],
)
def test_axes_that_cannot_be(make: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


def test_axes_may_be_slices() -> None:
    source = MatrixSource((("a", SliceSource(numbers(100), 98)), *axes(b=["x"])))
    assert list(source.items()) == [{"a": 98, "b": "x"}, {"a": 99, "b": "x"}]


# -- side by side


def test_zip_takes_the_axes_side_by_side() -> None:
    source = ZipSource(axes(a=["x", "y", "z"], b=3))
    cells = [{"a": "x", "b": 0}, {"a": "y", "b": 1}, {"a": "z", "b": 2}]
    sequence = source.sequence()
    assert sequence is not None
    assert (list(source.items()), list(sequence), source.count()) == (cells, cells, 3)
    assert pickle.loads(pickle.dumps(sequence[1:])) == cells[1:]
    assert ZipSource(axes(a=10**9, b=10**9)).count() == 10**9
    assert (list(ZipSource(()).items()), ZipSource(()).count()) == ([], 0)


# -- all of them


CALL = CallSource(parse_target("jobs:generate", "/flows"), (1,), {"step": 2})
ALL: list[Source] = [
    ListSource((1, "x")),
    numbers(3),
    GlobSource("/flows/*", "/flows", allow_empty=True),
    LinesSource("/flows/a.txt"),
    JsonlSource("/flows/a.jsonl", "/flows"),
    CsvSource("/flows/a.csv", "/flows", "\t"),
    SliceSource(CALL, 1, 2),
    PickedSource(numbers(3), (0, 2), ("0", "2")),
    GITHUB,
    ZipSource(axes(a=2, b=["x", "y"])),
    CALL,
    ResultsSource("count"),
]


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.kind)
def test_a_source_is_plain_data(source: Source) -> None:
    """It can be compared, pickled, and written into the plan's JSON with its kind."""
    assert pickle.loads(pickle.dumps(source)) == source
    (step,) = json.loads(plan_json(plan_of(pool("p", "jobs:f", source))))["steps"]
    assert step["source"]["kind"] == source.kind
    assert len({other.kind for other in ALL}) == len(ALL)


@pytest.mark.parametrize("source", [CALL, ResultsSource("x"), SliceSource(CALL)])
def test_what_only_a_run_makes_has_no_items_without_one(source: Source) -> None:
    assert (source.count(), source.sequence(), source.decoding()) == (None, None, None)
    with pytest.raises(NotImplementedError):
        source.items()
