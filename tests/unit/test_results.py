"""The pure parts of keeping results: how values are written and read, what is told of them, who waits for whom."""

from __future__ import annotations

import json
import math
import os
import pickle
import struct
from array import array
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import pytest
from engine.flows import Block

from mprun.engines.local.backlog import Backlog, Batch
from mprun.engines.results.back_pressure import MOST_BYTES, MOST_VALUES, Consumers
from mprun.engines.results.ledger import Ledger
from mprun.engines.results.store import StepResults, Store
from mprun.engines.supply.results import FinishedResults, ListedItems, StreamedResults
from mprun.language.references import Reference, parse
from mprun.log.values import NoExactFormError, exact_json, scalar_text
from mprun.results.files import LARGE, Item, Reader, ResultFiles, pickle_value, read_own
from mprun.system.temporary import claim_folder
from mprun.worker.calls.scope import Scope
from mprun.worker.wire import result_memory as shelves
from mprun.worker.wire.frames import FrameError, Splitter, write_frame
from mprun.worker.wire.result_frames import Values, read_values, values_parts
from mprun.worker.wire.result_memory import ResultMemory
from unit.test_engine_parts import Told


@pytest.fixture
def files(tmp_path: Path) -> ResultFiles:
    return ResultFiles(str(tmp_path), "step")


@pytest.fixture
def results(files: ResultFiles) -> StepResults:
    return StepResults(files, single=False)


@pytest.fixture
def unordered(files: ResultFiles) -> StepResults:
    return StepResults(files, single=False, by_completion=True)


def values_of(first: int, *values: Any, attempt: int = 1, items: int = -1) -> Values:
    pickles = [pickle.dumps(value) for value in values]
    return Values(first, attempt, items, array("q", map(len, pickles)), b"".join(pickles))


# -- one value


SIZES = [0, 1, 100, LARGE - 1, LARGE, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_value_comes_back_as_it_was(files: ResultFiles, size: int) -> None:
    """From a file of its own: its buffers too, side by side, each where the machine likes it."""
    os.mkdir(files.own_folder)
    value = {"text": "x" * size, "blocks": [Block(bytearray(range(256)) * (size // 256)) for _ in range(3)]}
    written = files.write_own(3, 2, pickle_value(value))
    assert os.listdir(files.own_folder) == ["3-2.pickle"]
    assert written == os.path.getsize(files.own(3, 2))
    loaded = read_own(files.own(3, 2))
    assert loaded["text"] == value["text"]
    assert [bytes(block.data) for block in loaded["blocks"]] == [bytes(block.data) for block in value["blocks"]]


def test_a_small_value_is_a_plain_pickle() -> None:
    for value in (5, "text", [None], Block(bytearray(1000))):
        assert not pickle_value(value).is_large
    assert pickle.loads(pickle_value([1, "two"]).data) == [1, "two"]
    assert pickle_value("x" * LARGE).is_large
    assert len(pickle_value([Block(bytearray(LARGE))] * 5).data) < 1000


def test_a_buffer_can_be_written_to_and_its_file_stays_as_it_was(files: ResultFiles) -> None:
    os.mkdir(files.own_folder)
    files.write_own(0, 1, pickle_value(Block(bytearray(b"x" * LARGE))))
    for _ in range(2):
        block = read_own(files.own(0, 1))
        assert block.data[0] == ord("x")
        block.data[0] = ord("y")
        assert block.data[0] == ord("y")


def test_a_value_that_cannot_be_written_leaves_nothing(files: ResultFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkdir(files.own_folder)

    def refuse(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "writev", refuse)
    with pytest.raises(OSError, match="No space left"):
        files.write_own(0, 1, pickle_value("x" * LARGE))
    assert os.listdir(files.own_folder) == []


@pytest.mark.parametrize("data", [b"x" * 100, struct.pack("<8sQQ16s", b"mprunPB5", 5, 0, b"name"), b"\0" * 40])
def test_a_file_that_is_none_of_ours(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        read_own(str(tmp_path / "file"))


# -- on their way to the parent


def test_values_pass_a_pipe() -> None:
    reader, writer = os.pipe()
    told = Values(7, 2, -1, array("q", [3, -500, 2]), b"abcde")
    write_frame(writer, 9, *values_parts(told))
    ((kind, body),) = Splitter().feed(os.read(reader, 4096))
    assert (kind, read_values(body)) == (9, told)
    assert [(one.first, list(one.lengths), one.data) for one in told.each()] == [
        (7, [3], b"abc"),
        (8, [-500], b""),
        (9, [2], b"de"),
    ]
    os.close(reader)
    os.close(writer)


BAD_VALUES = {
    "too short": b"x" * 31,
    "no task": struct.pack("<qqqq", 0, 1, -1, 0),
    "no such task": struct.pack("<qqqqq", -1, 1, -1, 1, 1) + b"x",
    "no such attempt": struct.pack("<qqqqq", 0, 0, -1, 1, 1) + b"x",
    "no such number of items": struct.pack("<qqqqq", 0, 1, -2, 1, 1) + b"x",
    "an empty value": struct.pack("<qqqqq", 0, 1, -1, 1, 0),
    "lengths cut off": struct.pack("<qqqqq", 0, 1, -1, 2, 1),
    "too many lengths": struct.pack("<qqqqq", 0, 1, -1, 1 << 60, 1) + b"x",
    "too little data": struct.pack("<qqqqq", 0, 1, -1, 1, 2) + b"x",
    "too much data": struct.pack("<qqqqq", 0, 1, -1, 1, 1) + b"xx",
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_values_that_are_none(name: str) -> None:
    with pytest.raises(FrameError):
        read_values(BAD_VALUES[name])


def test_a_shelf_holds_a_run() -> None:
    result_memory = ResultMemory()
    result_memory.clear(3)
    result_memory.put(3, b"abc", -1)
    result_memory.put(-70_000, b"", 12)
    assert result_memory.values(5, 2) == Values(5, 3, 12, array("q", [3, -70_000]), b"abc")
    assert result_memory.values(5, 1).data == b"abc"
    assert result_memory.has_room(shelves.ROOM - 3)
    assert not result_memory.has_room(shelves.ROOM - 2)
    result_memory.clear(1)
    for _ in range(shelves.MOST):
        assert result_memory.has_room(1)
        result_memory.put(1, b"x", -1)
    assert not result_memory.has_room(0)
    result_memory.close_file()


# -- in the parent


def loaded(results: StepResults) -> list[Any]:
    return list(results.stored().values())


def test_values_stand_by_task(results: StepResults) -> None:
    """In whichever order they come; those that failed are None, those behind the last aren't there."""
    results.add(values_of(5, "f", "g"))
    results.add(values_of(0, "a", "b"))
    results.add_none(2)
    results.add(values_of(3, "d"))
    results.add_none(4)
    assert loaded(results) == ["a", "b", None, "d", None, "f", "g"]
    assert results.count == 7


def test_values_stream_by_completion_and_stand_by_task(unordered: StepResults) -> None:
    unordered.add(values_of(3, "d", "e"))
    unordered.add_none(2)
    unordered.add(values_of(0, "a", "b"))
    unordered.end("")
    size = len(pickle.dumps("d"))
    assert unordered.take(0, 4) == [Item(3, 0, size), Item(4, size, size), None, Item(0, 2 * size, size)]
    assert unordered.listed(0, 2) == [Item(0, 2 * size, size), Item(1, 3 * size, size)]
    assert loaded(unordered) == ["a", "b", None, "d", "e"]
    assert list(unordered.stored().returned()) == [(0, "a"), (1, "b"), (3, "d"), (4, "e")]
    assert unordered.failed() == [2]
    assert (unordered.is_over(4), unordered.is_over(5)) == (False, True)


def test_values_of_some_only(files: ResultFiles) -> None:
    """As finals are: by the numbers of workers, of which some have none."""
    results = StepResults(files, single=False, sparse=True)
    results.add(values_of(5, "f"))
    results.add(values_of(2, "c"))
    results.end("")
    assert (loaded(results), results.count, results.failed()) == (["c", "f"], 2, [])
    assert [item.task for item in results.listed(0, 9) if item] == [2, 5]
    assert len(list(results.contents())) == 2


def test_large_and_small_ones_together(results: StepResults, files: ResultFiles) -> None:
    size = files.write_own(1, 4, pickle_value("x" * LARGE))
    small = pickle.dumps("small")
    results.add(Values(0, 4, -1, array("q", [len(small), -size, len(small)]), small * 2))
    results.add(values_of(3, "last"))
    assert loaded(results) == ["small", "x" * LARGE, "small", "last"]


def test_a_reader_reads_anywhere(results: StepResults, files: ResultFiles) -> None:
    values = [bytes([number % 256]) * 5000 for number in range(300)]
    results.add(values_of(0, *values))
    reader = Reader(files)
    for number in [0, 299, 1, 2, 150, 149, 298, 0]:
        (item,) = results.take(number, 1)
        assert item is not None
        assert reader.load(item) == values[number]


def test_a_file_that_was_cut(results: StepResults, files: ResultFiles) -> None:
    results.add(values_of(0, "a" * 100))
    os.truncate(files.pickles, 50)
    with pytest.raises(EOFError):
        loaded(results)


def test_what_cannot_be_written_has_no_value(results: StepResults, monkeypatch: pytest.MonkeyPatch) -> None:
    results.add(values_of(0, "a"))

    def refuse(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", refuse)
        results.add(values_of(1, "b", "c"))
    results.add(values_of(3, "d"))
    assert results.error == "No space left on device"
    assert loaded(results) == ["a", None, None, None]


def test_nothing_is_overwritten(files: ResultFiles, results: StepResults) -> None:
    with pytest.raises(FileExistsError):
        StepResults(files, single=False)


def test_a_run_without_a_folder_leaves_none() -> None:
    store = Store("")
    folder = store.folder
    assert (os.path.isdir(folder), os.path.dirname(folder)) == (True, claim_folder())
    store.close()
    assert not os.path.exists(folder)


def test_a_value_is_kept_with_the_outcome_that_is_booked(results: StepResults) -> None:
    """Told again it is dropped with its value; what failed first stays without one."""
    told = Told()
    ledger = Ledger(told, "step")
    ledger.results = results
    ledger.book(1, "lost", b"x\n")
    ledger.book_run(0, [b"a", b"b", b"c"], values_of(0, "a", "b", "c"))
    ledger.book_run(0, [b"a", b"b", b"c"], values_of(0, "other", "other", "other"))
    ledger.book_run(3, [b"d"], values_of(3, "d"))
    ledger.book_count(2, 4, values_of(2, "other", "other", "e", "f"))
    ledger.book_count(6, 1, values_of(6, "g"))
    assert loaded(results) == ["a", None, "c", "d", "e", "f", "g"]


# -- those who take them as they come


def streamed(results: StepResults, told: list[str] | None = None, **how: bool) -> StreamedResults:
    supply = StreamedResults(results, source="giver", consumer="taker", **{"must_succeed": True, **how})
    supply.begin(lambda: (told if told is not None else []).append("more"))
    return supply


def tasks(supply: Any, most: int = 100) -> list[int]:
    return [task for task, _, _ in supply.take(most)]


def test_a_stream_gives_what_is_there_in_order(results: StepResults) -> None:
    """A gap is waited for; one that failed is left out."""
    told: list[str] = []
    supply = streamed(results, told)
    results.add(values_of(1, "b", "c"))
    assert tasks(supply) == []
    results.add(values_of(0, "a"))
    assert tasks(supply, 2) == [0, 1]
    assert tasks(supply) == [2]
    results.add_none(3)
    assert (tasks(supply), supply.ended) == ([], False)
    results.add(values_of(4, "e"))
    assert tasks(supply) == [4]
    results.end("")
    assert (supply.ended, supply.error) == (True, "")
    assert len(told) == 6


def test_a_stream_of_a_step_that_may_fail(unordered: StepResults) -> None:
    """Failed ones come as None, and are counted."""
    supply = streamed(unordered, may_fail=True)
    unordered.add_none(1)
    unordered.add(values_of(0, "a"))
    unordered.add_none(2)
    assert [item and item[0] for item in supply.take(9)] == [None, 0, None]
    assert unordered.received == {"taker": 2}


def test_a_stream_in_the_order_of_completion(unordered: StepResults) -> None:
    supply = streamed(unordered)
    unordered.add(values_of(7, "h"))
    unordered.add(values_of(2, "c"))
    assert tasks(supply) == [7, 2]


@pytest.mark.parametrize(("must_succeed", "error"), [(True, "`first` failed"), (False, "")])
def test_a_stream_of_a_step_that_failed(results: StepResults, must_succeed: bool, error: str) -> None:
    supply = streamed(results, must_succeed=must_succeed)
    results.add(values_of(0, "a"))
    results.end("`first` failed")
    assert (supply.error, supply.ended, tasks(supply), supply.ended) == (error, False, [0], True)


def test_a_dropped_stream_holds_nobody_back(results: StepResults) -> None:
    gone_on: list[str] = []
    results.consumers.on_room = lambda: gone_on.append("on")
    supply = streamed(results)
    results.add(values_of(0, *range(MOST_VALUES + 1)))
    assert results.consumers.hold_back()
    supply.drop("the end")
    assert (gone_on, supply.ended, supply.take(5)) == (["on"], True, ())
    assert not results.consumers.hold_back()


def test_results_of_a_step_that_has_ended(results: StepResults) -> None:
    results.add(values_of(0, "a"))
    results.add_none(1)
    supply = FinishedResults(results, "taker")
    assert supply.count == 2
    assert supply.take(9) == [(0, 0, len(pickle.dumps("a"))), None]
    assert supply.ended
    assert results.received == {"taker": 1}


def test_what_is_dropped_gives_nothing_more(results: StepResults) -> None:
    results.add(values_of(0, "a", "b"))
    supply = FinishedResults(results, "taker")
    assert len(supply.take(1)) == 1
    supply.drop("the end")
    assert (supply.ended, list(supply.take(9))) == (True, [])


def test_the_items_of_one_result(files: ResultFiles) -> None:
    results = StepResults(files, single=True)
    results.add(values_of(0, ["a", "b", "c"], items=3))
    supply = ListedItems(results, "step")
    where = (0, 0, len(pickle.dumps(["a", "b", "c"])))
    assert (supply.take(2), supply.take(2), supply.ended) == ([(0, where), (1, where)], [(2, where)], True)


def test_takers_hold_back_by_number_and_by_bytes() -> None:
    """The slowest counts; one that takes many at once may be further behind."""
    consumers = Consumers()
    consumers.has_more([1] * 10_000)
    assert not consumers.hold_back(), "nobody is at work on them"
    quick, slow = consumers.begin("one"), consumers.begin("other")
    quick.took([1] * 10_000)
    assert consumers.hold_back()
    slow.took([1] * (10_000 - MOST_VALUES))
    assert not consumers.hold_back()
    consumers.has_more([MOST_BYTES])
    assert consumers.hold_back()
    slow.took([1] * MOST_VALUES)
    slow.took([MOST_BYTES])
    quick.took([MOST_BYTES])
    consumers.has_more([1] * 4 * slow.at_once)
    assert not consumers.hold_back()


def test_the_step_goes_on_when_all_have_caught_up() -> None:
    gone_on: list[str] = []
    consumers = Consumers()
    consumers.on_room = lambda: gone_on.append("on")
    one, other = consumers.begin("one"), consumers.begin("other")
    consumers.has_more([1] * 5000)
    assert consumers.hold_back()
    one.took([1] * 4500)
    consumers.caught_up()
    assert gone_on == []
    other.took([1] * 4500)
    consumers.caught_up()
    consumers.caught_up()
    assert gone_on == ["on"]


def test_what_came_back_is_given_out_though_held_back(results: StepResults) -> None:
    """Else a taker might wait for the very task that waits for it."""
    backlog = Backlog(FinishedResults(results, "taker"))
    results.add(values_of(0, "a", "b"))
    batch = backlog.take(1)
    assert batch is not None
    backlog.give_back(batch)
    assert backlog.take(5, only_retries=True) == Batch(0, 1, batch.items)
    assert backlog.take(5, only_retries=True) is None
    assert backlog.take(5) is not None


# -- references


def test_a_scope_loads_a_result_once(results: StepResults) -> None:
    results.add(values_of(0, {"a": [1, 2]}))
    scope = pickle.loads(pickle.dumps(Scope(results={"step": results.stored(), "skipped": None})))
    assert scope.evaluate([parse("${results.step.0.a.1}"), parse("a ${results.skipped}")]) == [2, "a null"]
    assert scope.lookup(Reference("results", ("step",))) is scope.lookup(Reference("results", ("step",)))
    with pytest.raises(LookupError, match=r"`\$\{results.step.7\}` leads nowhere: it has no `7`"):
        scope.evaluate(parse("${results.step.7}"))


# -- the forms in files


class Text(str):
    __slots__ = ()


EXACT = {
    '{"a":1}': Counter(a=1),
    '{"b":[2]}': defaultdict(list, b=[2]),
    '{"c":{"$float":"inf"}}': OrderedDict(c=math.inf),
    '"text"': Text("text"),
    '{"$set":[1,2]}': {2, 1},
    '{"$bytes":"AP8="}': b"\x00\xff",
    '{"$dict":[[1,"x"]]}': {1: "x"},
}


@pytest.mark.parametrize("expected", EXACT)
def test_exact_json(expected: str) -> None:
    assert exact_json(EXACT[expected]) == expected


def test_exact_json_of_what_is_large_and_deep() -> None:
    value: Any = "x" * 1_000_000
    for _ in range(100):
        value = [value]
    assert json.loads(exact_json(value)) == value


INEXACT = {
    "an object": object(),
    "within": [1, {"a": object()}],
    "digits": 10**5000,
}


@pytest.mark.parametrize("name", INEXACT)
def test_what_has_no_exact_json(name: str) -> None:
    with pytest.raises(NoExactFormError):
        exact_json(INEXACT[name])


def test_the_text_of_a_cell() -> None:
    import datetime
    import decimal

    cells = {"": None, "True": True, "1.5": 1.5, "nan": math.nan, "x\ny": "x\ny", "\\udc80": "\udc80"}
    cells |= {"2026-01-31": datetime.date(2026, 1, 31), "1.10": decimal.Decimal("1.10")}
    assert {text: scalar_text(value) for text, value in cells.items()} == {text: text for text in cells}
    for no_cell in ([1], {"a": 1}, {"$float": 1}, {1}, b"x", object(), {}):
        assert scalar_text(no_cell) is None
