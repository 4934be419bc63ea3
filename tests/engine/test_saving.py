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
from mprun.plan.plan import Step
from mprun.sources.table import ListSource

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


def test_results_in_the_order_of_their_completion(save: Any) -> None:
    step = pool("p", "flows:slower_first", 4, call="imap_unordered", processes=4, chunksize=1, folder=HERE)
    ran, path = save("values.json", step)
    assert json.loads(path.read_text()) == [result["result"] for result in results(ran.events, "p")]


def test_objects_of_the_users_classes(save: Any) -> None:
    """They are loaded in the child, where their classes can be found."""
    _, path = save("objects.csv", pool("p", "flows:point", 2, folder=HERE))
    assert path.read_text() == "x,y\n0,1970-01-01\n1,1970-01-02\n"


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
    "numbers.csv": (same([1], 2), "result 1 is of type int, and a row of a csv file is a mapping or a list"),
    "nothing.csv": (same(None), "result 0 is of type NoneType, and a row of a csv file is a mapping or a list"),
    "nested.csv": (
        same([1, [2]]),
        "result 0 holds a value of type list, and a cell of a csv file is a single text or number",
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


def test_a_failed_step_is_not_saved(save: Any) -> None:
    ran, path = save("values.json", pool("p", "flows:fails_if_odd", 2, folder=HERE))
    assert ran.named("save.started") == []
    assert not path.exists()


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
