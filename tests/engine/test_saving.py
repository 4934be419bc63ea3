"""`save`: a step's results in a file, whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest
from log_checks import results
from plan_builders import pool, process

from engine.harness import HERE, Ran, kill_for_good, run, wait_for, zoo_plan
from engine.test_results import limited
from engine.test_stopping import events_so_far, start, stopped_log
from mprun.errors.exceptions import ExitCode
from mprun.language.references import parse
from mprun.language.targets import parse_target
from mprun.plan.plan import Step
from mprun.sources.table import CallSource, ListSource

__all__ = ["start"]


@pytest.fixture
def save(tmp_path: Path, warm: None) -> Any:
    """Runs steps, the last of which has its results saved in a file of that name; gives the run and the file."""

    def save_it(name: str, *steps: Step, start_method: Any = "fork") -> tuple[Ran, Path]:
        path = tmp_path / "out" / name
        *others, last = steps
        last = dataclasses.replace(last, keeps=True, save=str(path))
        return run(zoo_plan(*others, last, start_method=start_method), tmp_path), path

    return save_it


def same(*values: Any, call: Any = "map") -> Step:
    return pool("same", "flows:same", ListSource(values), call=call, folder=HERE)


def one(value: Any) -> Step:
    return process("one", "flows:same", value, folder=HERE)


def error(ran: Ran) -> str:
    (told,) = [event["error"] for event in ran.named("step.finished") if event["outcome"] == "failed"]
    return str(told)


def test_what_is_told_of_a_saved_file(save: Any, start_method: Any) -> None:
    """Its path, size and digest; the step has ended when it is there."""
    ran, path = save("squares.json", pool("squares", "zoo:square", 5, folder=HERE), start_method=start_method)
    told = ran.one("results.saved")
    assert json.loads(path.read_text()) == [0, 1, 4, 9, 16]
    assert (told["path"], told["format"], told["size"]) == (str(path), "json", path.stat().st_size)
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["seq"] < ran.one("step.finished")["seq"]
    assert list(path.parent.iterdir()) == [path]


SAVED = {
    "values.json": (same(1, "ä", [None], call="map"), '[\n1,\n"ä",\n[null]\n]\n'),
    "empty.json": (same(), "[]\n"),
    "one.json": (one({"a": float("nan")}), '{"a":{"$float":"nan"}}\n'),
    "values.jsonl": (same({"a": 1}, 2.5), '{"a":1}\n2.5\n'),
    "list.jsonl": (one([1, 2]), "1\n2\n"),
    "one.jsonl": (one("text"), '"text"\n'),
    "empty.jsonl": (same(), ""),
    "mappings.csv": (same({"a": 1, "b": "x,y"}, {"b": None, "a": True}), 'a,b\n1,"x,y"\nTrue,\n'),
    "lists.csv": (same([1, 'say "hi"'], [2.5, "two\nlines"]), '1,"say ""hi"""\n2.5,"two\nlines"\n'),
    "list.csv": (one([[1, 2], [3, 4]]), "1,2\n3,4\n"),
    "empty.csv": (same(), ""),
    "scalars.csv": (same(1, "a,b", None, True, 2.5), 'value\n1\n"a,b"\n""\nTrue\n2.5\n'),
    "scalar.csv": (one(5), "value\n5\n"),
    "list-of-scalars.csv": (one([5, 6]), "value\n5\n6\n"),
    "reordered.csv": (same({"a": 1, "b": 2}, {"b": 4, "a": 3}), "a,b\n1,2\n3,4\n"),
}


@pytest.mark.parametrize("name", SAVED)
def test_what_is_saved(save: Any, name: str) -> None:
    step, expected = SAVED[name]
    ran, path = save(name, step)
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert path.read_text(encoding="utf-8") == expected


def test_a_pickle_holds_what_was_returned(save: Any) -> None:
    _, path = save("values.pickle", pool("p", "zoo:odd_value", ["bytes", "surrogate"], folder=HERE))
    assert pickle.loads(path.read_bytes()) == [b"\x00\xff", "\udc80"]
    _, path = save("one.pickle", one({"a": (1, 2)}))
    assert pickle.loads(path.read_bytes()) == {"a": (1, 2)}


def test_results_in_the_order_of_the_items(save: Any) -> None:
    """Also where they came in another one."""
    step = pool("p", "flows:slower_first", 4, call="imap_unordered", processes=4, chunksize=1, folder=HERE)
    ran, path = save("values.json", step)
    assert json.loads(path.read_text()) == [0, 1, 2, 3]
    assert [result["result"] for result in results(ran.events, "p")] == [3, 2, 1, 0]


def test_objects_of_the_users_classes(save: Any) -> None:
    """They are loaded in the child, where their classes can be found."""
    _, path = save("objects.csv", pool("p", "flows:point", 2, folder=HERE))
    assert path.read_text() == "x,y\n0,1970-01-01\n1,1970-01-02\n"


FRAMES = {
    "pandas": "a,b\n1,x\n2,\n",
    "pandas-index": "key,a\nx,1\ny,2\n",
    "polars": "a,b\n1,x\n2,\n",
}


@pytest.mark.parametrize("kind", FRAMES)
def test_the_rows_of_a_data_frame(save: Any, kind: str) -> None:
    """Of one, and of several, under one head."""
    pytest.importorskip(kind.partition("-")[0])
    _, path = save("frame.csv", process("p", "flows:frame", kind, folder=HERE))
    assert path.read_text() == FRAMES[kind]
    _, path = save("frames.csv", pool("p", "flows:frame", [kind, kind], folder=HERE))
    head, *rows = FRAMES[kind].splitlines()
    assert path.read_text().splitlines() == [head, *rows, *rows]


REFUSED = {
    "object.json": (
        pool("p", "zoo:unloadable", 1, folder=HERE),
        "reading them back raised RuntimeError: not to be unpickled",
    ),
    "block.json": (
        pool("p", "flows:block", [1, 2], folder=HERE),
        "result 0 has no form in JSON: it is, or holds, a flows.Block; a .pickle file takes anything",
    ),
    "block.jsonl": (
        process("p", "flows:block", 1, folder=HERE),
        "its result has no form in JSON: it is, or holds, a flows.Block; a .pickle file takes anything",
    ),
    "recursive.json": (
        pool("p", "zoo:odd_value", ["recursive"], folder=HERE),
        "result 0 has no form in JSON: it is nested too deep, or holds itself; a .pickle file takes anything",
    ),
    "numbers.csv": (
        same([1], 2),
        "result 1 is of type int, and the first one is a list: "
        "the rows of a csv file are alike; a .jsonl file takes any",
    ),
    "bytes.csv": (
        pool("p", "zoo:odd_value", ["bytes"], folder=HERE),
        "result 0 is of type bytes, which has no row in a csv file; a .json file takes any",
    ),
    "nested.csv": (
        same([1, [2]]),
        "result 0 holds a value of type list, and a cell of a csv file is a single text or number; "
        "a .json file takes any",
    ),
    "scalar.csv": (
        same({"a": 1}, 2),
        "result 1 is of type int, and the first one is a mapping: "
        "the rows of a csv file are alike; a .jsonl file takes any",
    ),
    "keys.csv": (
        same({"a": 1}, {"a": 1, "b": 2}),
        "result 1 has the keys `a`, `b`, and the first one has `a`: "
        "the rows of a csv file are alike; a .jsonl file takes any",
    ),
    "mixed.csv": (
        one([[1], {"a": 1}]),
        "item 1 is a mapping, and the first one is a list: the rows of a csv file are alike; a .jsonl file takes any",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_saved(save: Any, name: str) -> None:
    """The step fails with the reason, what was there before stays, and no other file is left."""
    step, reason = REFUSED[name]
    ran, path = save(name, step)
    assert error(ran) == f"its results could not be saved: {reason}"
    assert list(path.parent.iterdir()) == []
    path.write_text("from before")
    save(name, step)
    assert path.read_text() == "from before"


def test_a_file_in_the_way(save: Any, tmp_path: Path) -> None:
    """A folder of that name, or a file where a folder should be."""
    (tmp_path / "out" / "values.json").mkdir(parents=True)
    ran, path = save("values.json", same(1))
    assert "Is a directory" in error(ran)
    assert list(path.parent.iterdir()) == [path]
    (tmp_path / "in-the-way").touch()
    ran, _ = save("../in-the-way/values.json", same(1))
    assert "in-the-way" in error(ran)


@pytest.mark.parametrize("old", [True, False])
def test_a_failed_step_is_not_saved(save: Any, old: bool) -> None:
    """Its end says so, and when the file that lies there was made."""
    path = save("values.json", same(1))[1] if old else None
    ran, path = save("values.json", pool("p", "flows:fails_if_odd", 2, folder=HERE))
    assert ran.named("save.started") == []
    assert path.exists() == old
    finished = ran.one("step.finished")
    assert finished["not_saved"] == str(path)
    assert ("old_file" in finished) == old


FAILING = {
    "map.json": ("map", "[\n0,\nnull,\n2,\nnull\n]\n"),
    "imap.jsonl": ("imap", "0\nnull\n2\nnull\n"),
    "unordered.json": ("imap_unordered", "[\n0,\nnull,\n2,\nnull\n]\n"),
    "map.csv": ("map", "value\n0\n2\n"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_is_saved_of_a_step_that_may_fail(save: Any, engine: str, name: str) -> None:
    """What there is, in the order of the items; the event lists what is missing."""
    call, expected = FAILING[name]
    step = pool("p", "flows:fails_if_odd", 4, call=call, engine=engine, folder=HERE)
    ran, path = save(name, limited(step, continue_on_error=True))
    assert path.read_text() == expected
    assert (ran.end.exit_code, ran.one("step.finished")["outcome"]) == (ExitCode.SUCCEEDED, "failed")
    saved = ran.one("results.saved")
    assert (saved["failed"], saved["failed_count"]) == ([1, 3], 2)


def test_a_pickle_of_a_step_that_may_fail(save: Any) -> None:
    step = pool("p", "flows:fails_if_odd", 2, folder=HERE)
    _, path = save("values.pickle", limited(step, continue_on_error=True))
    assert pickle.loads(path.read_bytes()) == [0, None]


SINGLE = {"one.json": "null\n", "one.jsonl": "null\n", "one.csv": ""}


@pytest.mark.parametrize("name", SINGLE)
def test_one_call_that_may_fail(save: Any, name: str) -> None:
    ran, path = save(name, limited(process("p", "flows:fails_if_odd", 1, folder=HERE), continue_on_error=True))
    assert path.read_text() == SINGLE[name]
    assert ran.one("results.saved")["failed"] == [0]


def test_cells_that_may_fail(save: Any) -> None:
    cells = {"cells": ListSource((0, 1, 2)), "cell": "item"}
    step = dataclasses.replace(process("p", "flows:fails_if_odd", parse("${item}"), folder=HERE), **cells)
    _, path = save("cells.json", limited(step, continue_on_error=True))
    assert json.loads(path.read_text()) == [0, None, 2]


def test_none_and_a_failure_are_told_apart(save: Any) -> None:
    """In the event, and in a csv file; they look alike in json."""
    step = pool("p", "flows:none_if_even", 2, folder=HERE)
    ran, path = save("values.json", limited(step, continue_on_error=True))
    assert (path.read_text(), ran.one("results.saved")["failed"]) == ("[\nnull,\nnull\n]\n", [1])


def test_a_list_that_is_not_whole_is_not_saved(save: Any) -> None:
    """Whatever the step says of failures: its source failed, or it was cut short."""
    broken = CallSource(parse_target("flows:yields_then", HERE), ("raise",), {})
    step = pool("p", "flows:same", broken, call="imap", folder=HERE)
    ran, path = save("values.json", limited(step, continue_on_error=True))
    assert (ran.named("save.started"), path.exists(), ran.one("step.finished")["not_saved"]) == ([], False, str(path))
    step = pool("p", "flows:stays", 3, processes=1, folder=HERE)
    ran, path = save("values.json", limited(step, continue_on_error=True, step_timeout=0.3))
    assert (ran.named("save.started"), path.exists()) == ([], False)


@pytest.mark.parametrize("may_fail", [True, False])
def test_a_finalizer_that_fails_takes_nothing_from_the_list(save: Any, may_fail: bool) -> None:
    """It is whole, and saved where the step may fail."""
    step = pool("p", "flows:same", 3, finalizer=parse_target("zoo:raises", HERE), folder=HERE)
    ran, path = save("values.json", limited(step, continue_on_error=may_fail))
    assert "its finalizer `zoo:raises` raised" in ran.one("step.finished")["error"]
    assert path.exists() == may_fail
    assert ran.end.exit_code is (ExitCode.SUCCEEDED if may_fail else ExitCode.FAILED)


@pytest.mark.parametrize("fail_fast", [True, False])
def test_a_save_that_fails_fails_the_run(tmp_path: Path, warm: None, fail_fast: bool) -> None:
    """Whatever the step says of failures; what needs it is skipped."""
    refused = dataclasses.replace(same([[1]]), keeps=True, save=str(tmp_path / "values.csv"))
    after = process("after", "flows:same", 1, needs=("same",), folder=HERE)
    steps = limited(refused, continue_on_error=True), after
    ran = run(zoo_plan(*steps, start_method="fork", fail_fast=fail_fast), tmp_path)
    assert ran.end.exit_code is ExitCode.FAILED
    assert ran.one("step.skipped")["step"] == "after"
    assert len(ran.named("stop.requested")) == fail_fast


def test_a_step_that_needs_a_saved_one_finds_the_file(save: Any, tmp_path: Path) -> None:
    first = dataclasses.replace(same(1), keeps=True, save=str(tmp_path / "first.json"))
    reader = process(
        "reader", "pathlib:Path.read_text", parse("${results.where}"), needs=("same", "where"), folder=HERE
    )
    where = process("where", "pathlib:Path", str(tmp_path / "first.json"), folder=HERE, keeps=True)
    ran, _ = save("reader.json", first, where, reader)
    assert ran.values("reader") == ["[\n1\n]\n"]


def test_the_child_that_saves_dies(start: Any, tmp_path: Path) -> None:
    """Its step has failed, and no part of a file is left."""
    path = tmp_path / "out.json"
    running = start(slow_to_save(path))
    (pid,) = wait_for(lambda: [e["pid"] for e in events_so_far(running.log) if e["event"] == "save.started"])
    kill_for_good(pid)
    assert running.end() == (1, "")
    (finished,) = [event for event in events_so_far(running.log) if event["event"] == "step.finished"]
    assert finished["error"] == ("its results could not be saved: the child that writes them was killed by SIGKILL")
    assert sorted(p.name for p in tmp_path.iterdir() if "out" in p.name) == []


def slow_to_save(path: Path) -> Any:
    return dataclasses.replace(process("slow", "flows:slow_to_load", folder=HERE), keeps=True, save=str(path))


def test_saving_is_stopped(start: Any, tmp_path: Path) -> None:
    """A second signal ends it."""
    running = start(slow_to_save(tmp_path / "out.json"))
    wait_for(lambda: [e for e in events_so_far(running.log) if e["event"] == "save.started"])
    running.signal(signal.SIGINT)
    wait_for(lambda: [e for e in events_so_far(running.log) if e["event"] == "stop.requested"])
    running.signal(signal.SIGINT)
    stopped_log(running, 130)
    assert not (tmp_path / "out.json").exists()


def test_saving_takes_too_long(tmp_path: Path, warm: None) -> None:
    step = limited(slow_to_save(tmp_path / "out.json"), step_timeout=0.5)
    ran = run(zoo_plan(step, start_method="fork", grace_period=0.2), tmp_path)
    assert error(ran) == "it took longer than its step_timeout of 0.5 s"
