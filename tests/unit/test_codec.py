"""The quick readers of a log's lines say what parsing each line by `json.loads` says, whatever stands there."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from logs_by_hand import RUN_ID, lines_of, returned, small_run

from mprun.log.codec import columns as columns_module
from mprun.log.codec import returned as form
from mprun.log.codec.columns import Line, Results, read
from mprun.log.codec.lines import TextSearch, closed, fields_of, open_line
from mprun.log.codec.recorded import RecordedResults, recorded
from mprun.log.codec.seal_lines import seals_in
from mprun.log.codec.task_lines import KeyedTaskLines, Recorded, ReusedLines, TaskLines
from mprun.log.schema.events import AnyEvent, TaskResult
from mprun.log.verifying.chain import check_chain
from mprun.log.verifying.complete import check_complete
from mprun.resuming.log_results import read_results

SEEDS = range(40)
LINES = 150  # of one random log


@pytest.fixture(autouse=True)
def _few_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns_module, "WORTH_IT", 0)


# -- the reference: slow and obvious


def reference(line: bytes) -> dict[str, Any] | None:
    """The event in `line`; None where there is none."""
    try:
        event = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    good = isinstance(event, dict) and isinstance(event.get("event"), str) and type(event.get("seq")) is int
    return event if good else None


def _refuse(name: str) -> None:
    raise ValueError(name)


# -- random lines

# fmt: off
NUMBERS = ("0", "-0", "1", "-1", "7", "12", "0.5", "0.000000", "1e5", "1E-3", "-1.5e+300", "1e999",
           "123456789012345678", "1234567890123456789", "10")
NO_NUMBERS = ("01", "+1", ".5", "1.", "-a", "1e", "0x1", "NaN", "Infinity", "-Infinity", "1_0", "--1")
NO_VALUES = (*NO_NUMBERS, "", "'a'", '"\\x"', '"\\u12"', '"\x01"', '"\t"', '"a', "[1,]", "{1:2}", "[1",
             "tru", "1 2", '""""')
STRINGS = ("", "plain", "two words", 'a "quote"', "back\\slash", "ünï", "日本", "🎈", "\x00\x1f", "tab\there", "\x7f",
           "a/b", '"event":"task.result"', ',"outcome":"returned","result":1,"duration":0.5}', '{"seq":0,"ts":"',
           "}\n{", "\r", "\u2028", '","task":7,"', '"step":"other"', "\\", "\\u0041", "duration", "key")
# fmt: on
OTHER_KEYS = ("colour", "gpu.load", "Result", "tasks", "ke y", "schlüssel", "_", "7", "", 'a"b', "result2", "seqs")


class Dice(random.Random):
    """Makes lines; `broken` is how often something in them is not JSON."""

    broken = 0.0

    def text(self) -> str:
        return json.dumps(self.choice(STRINGS), ensure_ascii=self.random() < 0.3)

    def number(self) -> str:
        return self.choice(NO_NUMBERS if self.random() < self.broken else NUMBERS)

    def scalar(self) -> str:
        return self.choice((self.number, self.number, self.text, lambda: self.choice(("true", "false", "null"))))()

    def value(self, depth: int = 0) -> str:
        kind = self.random()
        if depth > 3 or kind < 0.6:
            return self.scalar()
        inside = [self.value(depth + 1) for _ in range(self.randrange(4))]
        if kind < 0.8:
            return f"[{','.join(inside)}]"
        names = (json.dumps(self.choice((*form.KEYS, *OTHER_KEYS))) for _ in inside)
        return "{" + ",".join(f"{name}:{value}" for name, value in zip(names, inside, strict=True)) + "}"

    def fields(self, seq: int) -> list[tuple[str, str]]:
        """As a worker writes them, or the line of a call that was reused, and sometimes something else."""
        fields = [
            ("seq", str(seq)),
            ("ts", '"2026-01-31T09:30:00.000000Z"'),
            ("event", '"task.result"'),
            ("step", json.dumps(self.choice(("squares", "b-2")))),
            ("worker", str(self.randrange(1, 4))),
            ("task", str(self.randrange(1000))),
            ("key", self.text()),
            ("attempt", str(self.randrange(1, 3))),
            ("outcome", '"returned"'),
            ("result", self.value()),
            ("duration", self.choice(("0.000012", "1.5", "61.000000"))),
            ("waited", "0.000100"),
            ("reused", f'"{RUN_ID}"'),
        ]
        without = {name for name in ("worker", "key", "waited", "reused") if self.random() < 0.5}
        return [(name, value) for name, value in fields if name not in without]

    def line(self, seq: int) -> bytes:
        fields = self.fields(seq)
        kinds = (self.add, self.add, self.swap, self.double, self.alter, self.shuffled)
        for change in self.choices(kinds, k=self.choice((0, 0, 1, 1, 2, 3))):
            change(fields)
        comma, colon = (", ", ": ") if self.random() < 0.03 else (",", ":")
        line = "{" + comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in fields) + "}"
        return self.damaged(line.encode()) + b"\n"

    def add(self, fields: list[tuple[str, str]]) -> None:
        fields.insert(self.randrange(len(fields) + 1), (self.choice(OTHER_KEYS), self.value()))

    def swap(self, fields: list[tuple[str, str]]) -> None:
        one, other = (self.randrange(len(fields)) for _ in "ab")
        fields[one], fields[other] = fields[other], fields[one]

    def shuffled(self, fields: list[tuple[str, str]]) -> None:
        if self.random() < 0.2:
            self.shuffle(fields)

    def double(self, fields: list[tuple[str, str]]) -> None:
        """A key that stands there twice: the last counts."""
        name, value = self.choice(fields)
        fields.insert(self.randrange(len(fields) + 1), (name, self.choice((value, self.value()))))

    def alter(self, fields: list[tuple[str, str]]) -> None:
        place = self.randrange(len(fields))
        value = self.choice((self.value(), self.number(), '"raised"', '"task.retried"'))
        fields[place] = (fields[place][0], self.choice(NO_VALUES) if self.random() < self.broken else value)

    def damaged(self, line: bytes) -> bytes:
        if self.random() >= self.broken:
            return line.replace(b"\n", b" ")
        place = self.randrange(len(line) + 1)
        kinds = (
            line[:place],
            line[place:],
            line[:place] + b"\xff" + line[place:],
            line[:place] + line[place + 1 :],
            b"",
        )
        return self.choice(kinds).replace(b"\n", b" ")


def random_log(seed: int) -> list[bytes]:
    dice = Dice(seed)
    dice.broken = dice.choice((0.0, 0.2))
    return [dice.line(seq + (dice.random() < 0.02)) for seq in range(LINES)]


# -- in bulk

COLUMNS = ("worker", "key", "attempt", "result", "duration", "waited", "reused")


def flat(parts: Iterator[Results | Line]) -> Iterator[tuple[int, dict[str, Any] | None, bytes | None]]:
    """(offset, what is said of it in columns, its text where it isn't in columns) of each line."""
    for part in parts:
        if isinstance(part, Line):
            yield part.offset, None, part.text
            continue
        told = {name: part.texts(name) for name in COLUMNS}
        for at, (offset, task) in enumerate(zip(part.offsets, part.tasks, strict=True)):
            fields = {name: json.loads(texts[at]) for name, texts in told.items() if texts[at]}
            about = {"seq": part.seq + at, "event": "task.result", "step": part.step, "task": task}
            yield offset, {**about, "outcome": "returned", **fields}, None


@pytest.mark.parametrize("seed", SEEDS)
def test_columns_say_what_their_lines_say(seed: int) -> None:
    lines = random_log(seed)
    told = list(flat(read(b"".join(lines), COLUMNS, offset=1000)))
    offset, quick = 1000, 0
    for line, (at, fields, text) in zip(lines, told, strict=True):
        assert at == offset
        offset += len(line)
        if fields is None:
            assert text == line
            continue
        event = reference(line)
        assert event is not None, line
        assert {name: value for name, value in event.items() if name in form.KEYS and name != "ts"} == fields, line
        quick += 1
    assert quick > LINES // 20  # it is not for nothing


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_of_columns(seed: int) -> None:
    lines = random_log(seed)
    for part in read(b"".join(lines), ("worker", "duration", "waited")):
        if isinstance(part, Results):
            events = [json.loads(line.text) for line in part.lines()]
            assert len(part) == len(events)
            assert part.ints("worker") == [event.get("worker", 0) for event in events]
            assert part.floats("duration") == [float(event["duration"]) for event in events]
            assert part.floats("waited") == [float(event.get("waited", 0)) for event in events]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_block_without_its_end(seed: int) -> None:
    """Cut anywhere: the same lines, and the rest as it is."""
    data = b"".join(random_log(seed)[:30])
    cut = random.Random(seed).randrange(len(data))
    told = list(flat(read(data[:cut], COLUMNS)))
    whole = list(io.BytesIO(data[:cut]))
    assert len(told) == len(whole)
    assert told[-1][2] in (None, whole[-1])


@pytest.mark.parametrize("name", [*form.KEYS, "colour"])
def test_a_value_that_is_no_json(name: str) -> None:
    """In the place of each key's: no reader takes the line."""
    fields = {
        **dict(Dice(1).fields(0)),
        "worker": "1",
        "key": '"k"',
        "result": "1",
        "waited": "0.1",
        "reused": '"r"',
        "colour": "1",
    }
    fields = {key: fields[key] for key in (*form.KEYS, "colour")}
    good = _line(fields)
    assert recorded(good) is not None
    assert [type(part) for part in read(good, COLUMNS)] == [Results]
    for value in NO_VALUES:
        bad = _line({**fields, name: value})
        assert reference(bad) is None
        assert recorded(bad) is None
        assert [part.text for part in read(good + bad, COLUMNS) if isinstance(part, Line)] == [bad]


def _line(fields: dict[str, str]) -> bytes:
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}\n").encode()


def test_few_lines_are_parsed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    lines = [closed(open_line(returned("pool", task, task)), task) for task in range(1000)]
    assert all(isinstance(part, Line) for part in read(b"".join(lines[:5])))
    (results,) = read(b"".join(lines))
    assert isinstance(results, Results)
    assert results.tasks == list(range(1000))


# -- by offset


@pytest.mark.parametrize("seed", SEEDS)
def test_recorded_results_are_those_of_their_lines(seed: int, tmp_path: Path) -> None:
    lines = random_log(seed)
    log = tmp_path / "log"
    log.write_bytes(b"".join(lines))
    offset, reader = 0, RecordedResults(str(log))
    for line in lines:
        event, found = reference(line), reader.at(offset)
        assert found == recorded(line)
        if event is None or event.get("outcome") != "returned" or not {"result", "duration"} <= event.keys():
            assert found is None, line
        else:
            assert found is not None, line
            key = json.loads(found.key) if found.key else None
            assert (json.loads(found.result), json.loads(found.duration)) == (event["result"], event["duration"]), line
            assert key == event.get("key"), line
        offset += len(line)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_log_is_taken_over_as_parsing_would(seed: int) -> None:
    """Of each call the last line counts, whoever has read it."""
    lines = [closed(b'"ts":"2026-01-31T09:30:00.000000Z","event":"run.started"}\n', 0), *sane(random_log(seed))]
    told = read_results(io.BytesIO(b"".join(lines)))
    expected: dict[tuple[str, int], int] = {}
    offset = 0
    for line in lines:
        event = reference(line)
        if event is not None and event["event"] == "task.result" and event["outcome"] == "returned":
            expected[event["step"], event["task"]] = offset
        offset += len(line)
    found = {
        (step, task): offset
        for step, results in told.items()
        for task, offset in enumerate(results.offsets)
        if results.has(task)
    }
    assert found == expected


def sane(lines: list[bytes]) -> Iterator[bytes]:
    """Those whose events have what a result must have."""
    for line in lines:
        event = reference(line)
        types = {"step": str, "task": int, "outcome": str}
        if event is None or (
            all(type(event.get(name)) is kind for name, kind in types.items()) and 0 <= event["task"] < 10_000
        ):
            yield line


def test_json_by_the_standard_library_is_as_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where orjson isn't installed."""
    from mprun.log.codec import event
    from mprun.log.codec import recorded as by_offset

    for module in (event, by_offset):
        monkeypatch.setattr(module, "loads", event._strictly)
    for seed in range(5):
        test_recorded_results_are_those_of_their_lines(seed, tmp_path)


# -- what is written is what the quick readers take


def _worker_lines() -> Iterator[bytes]:
    about = {"event": "task.result", "step": "pool", "worker": 3}
    for lines in (TaskLines(about), KeyedTaskLines(about, lambda: 'ü"x'), KeyedTaskLines(about, lambda: None)):
        lines.begin_batch(2, 5_000)
        for task, result in enumerate(("49", '"text"', "null", "[1,2]", '{"a":1.5}')):
            yield lines.line(task, result, 6_000 + task, 2_000_000_000)


def _reused_lines() -> Iterator[bytes]:
    lines = ReusedLines({"event": "task.result", "step": "pool"}, RUN_ID)
    yield lines.line(Recorded(b"[1,[2]]", b"0.5", b'"north"'), 7) + b"\n"
    yield lines.line(Recorded(b"1", b"0.5", b""), 8) + b"\n"


def test_lines_of_workers_are_read_in_bulk() -> None:
    lines = [closed(line, seq) for seq, line in enumerate(_worker_lines())]
    (bulk,) = read(b"".join(lines), COLUMNS)
    assert isinstance(bulk, Results)
    assert len(bulk) == len(lines)


@pytest.mark.parametrize("make", [_worker_lines, _reused_lines])
def test_lines_are_read_by_offset_without_parsing(
    make: Callable[[], Iterator[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mprun.log.codec.recorded.event_of", None)
    for seq, line in enumerate(make()):
        assert recorded(closed(line, seq)) is not None


def test_the_line_of_a_reused_call() -> None:
    with_key, without = map(fields_of, _reused_lines())
    assert list(with_key) == [name for name in form.KEYS[1:] if name not in ("worker", "waited")]
    assert list(without) == [name for name in form.KEYS[1:] if name not in ("worker", "waited", "key")]
    assert (with_key["key"], with_key["result"], with_key["reused"]) == ("north", [1, [2]], RUN_ID)
    process = fields_of(ReusedLines({"event": "process.result", "step": "a"}, RUN_ID).line(Recorded(b"1", b"2", b"")))
    assert "task" not in process


def test_the_keys_of_the_quick_readers_are_those_of_the_event() -> None:
    """A key that is renamed in the model must be renamed there, too."""
    known = {field.alias or name for name, field in TaskResult.model_fields.items()}
    assert set(form.KEYS) <= known


def test_nested_quantifiers_end_at_once() -> None:
    """A line that nearly is one takes no longer than others."""
    result = ",".join(['{"duration":1,"waited":1}'] * 2_000)
    line = closed(open_line(returned("pool", 1, 0)), 0).replace(b'"result":0', b'"result":[' + result.encode() + b"]]")
    assert recorded(line) is None
    assert [part.text for part in read(line * 10) if isinstance(part, Line)] == [line] * 10


# -- other lines


@pytest.mark.parametrize("seed", range(10))
def test_what_is_searched_for_is_found(seed: int) -> None:
    """What a search leaves out holds nothing that is wanted; in lines with spaces, as `stdlib` once wrote them, too."""
    dice = Dice(seed)
    head = closed(open_line({"ts": "2026-01-31T09:30:00.000000Z", "event": "run.started"}), 0)
    wanted: dict[str, list[str]] = dice.choice(
        ({}, {"event": ["task.retried"]}, {"step": ["b-2"]}, {"event": ["task.result"], "step": ["x"]})
    )
    search = TextSearch(wanted)
    search.may_hold(head)
    left_out = 0
    for line in random_log(seed):
        event = reference(line)
        if event is None or search.may_hold(line):
            continue
        left_out += 1
        assert not all(not values or event.get(key) in values for key, values in wanted.items()), line
    assert left_out or not wanted


def test_a_line_with_spaces_is_found() -> None:
    search = TextSearch({"outcome": ["cancelled"]})
    assert not search.may_hold(closed(open_line({"ts": "", "event": "run.started"}), 0))
    assert search.may_hold(b'{"seq":7,"ts": "", "event": "task.result", "outcome": "cancelled"}\n')


def test_a_seal_with_keys_that_are_not_known_is_a_seal() -> None:
    """Wherever they stand but behind `seal`, which is the last by its meaning."""
    plain = list(lines_of(small_run()))
    events = [json.loads(line) for line in plain]
    seal = next(event for event in events if event["event"] == "log.sealed")
    for place in range(1, len(seal)):
        fields = list(seal.items())
        fields.insert(place, ("colour", {"event": "task.result"}))
        line = b"{" + open_line(dict(fields))
        assert list(seals_in(plain[0] + line + plain[1])) == [(len(plain[0]), len(plain[0]) + len(line))]


def test_what_only_speaks_of_seals_is_none() -> None:
    inside = {**returned("pool", 1, {"event": "log.sealed"}), "seq": 1}
    texts = [open_line(inside), open_line({**inside, "result": '"event":"log.sealed"'}), b'"event":"log.sealed"}\n']
    assert [list(seals_in(b"{" + text)) for text in texts] == [[], [], []]


def test_every_event_can_have_a_key_more() -> None:
    """At each place, in each kind of event: the checks of a log find nothing wrong."""
    for place in range(12):
        events = [dict(inserted(event, place, "colour", ["blue", {"task": 0}])) for event in small_run()]
        log = b"".join(lines_of(events))
        assert check_chain(io.BytesIO(log)).findings == ()
        assert check_complete(io.BytesIO(log)).findings == ()


def inserted(event: dict[str, Any], place: int, name: str, value: Any) -> list[tuple[str, Any]]:
    fields = list(event.items())
    return [*fields[:place], (name, value), *fields[place:]]


def test_the_names_of_events_are_texts_without_escapes() -> None:
    """So their bytes can be searched for."""
    union = AnyEvent.model_fields["root"].annotation
    names = [get_args(member.model_fields["event"].annotation)[0] for member in get_args(union)]
    assert all(json.dumps(name) == f'"{name}"' for name in names)
