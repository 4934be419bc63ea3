"""Workflows at random, right in every respect: as data, in which most keys and forms of the format have their turn."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

FILES = {"rows.csv": "a,b\n1,2\n", "rows.jsonl": '{"a": 1}\n', "texts.txt": "x\ny\n"}

PARAMS: dict[str, Any] = {
    "n": 3,
    "s": "text",
    "l": [1, 2],
    "t": {"type": "duration", "default": "5s"},
    "token": {"type": "str", "secret": True, "required": False, "description": "for the API"},
    "mode": {"choices": ["fast", "slow"], "default": "fast"},
}
VALUES: list[Any] = [
    *(1, -2.5, True, None, "text", "", "no", "12:30", "${params.s}", "$${literal}", "a ${params.n} b", "é\U0001f600"),
    *([1, [2]], {"a": {"b": 1}}, ["${params.n}"], float("inf")),
]


class Chance:
    """Builds one workflow from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, makers: dict[str, Callable[[], Any]], share: float = 0.4) -> dict[str, Any]:
        """Each of the keys with the probability `share`."""
        return {key: make() for key, make in makers.items() if self.random.random() < share}

    def of(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def values(self) -> list[Any]:
        return self.random.sample(VALUES, self.random.randint(1, 4))

    def kwargs(self) -> dict[str, Any]:
        return {name: self.of(*VALUES) for name in self.random.sample(["a", "b", "c_1"], self.random.randint(1, 3))}

    def workflow(self) -> dict[str, Any]:
        names = [f"step-{number}" for number in range(self.random.randint(1, 6))]
        groups: dict[str, dict[str, Any]] = {"processes": {}, "pools": {}}
        for number, name in enumerate(names):
            before = [each for each in names[:number] if not groups["processes"].get(each, {}).get("daemon")]
            group = self.of("processes", "pools")
            groups[group][name] = self.process(before) if group == "processes" else self.pool(before)
        return {"params": PARAMS, **self.top(), **{group: steps for group, steps in groups.items() if steps}}

    def top(self) -> dict[str, Any]:
        makers: dict[str, Callable[[], Any]] = {
            "name": lambda: self.of("n", "${params.s}"),
            "description": lambda: self.of("", "Two\nlines.", "'quoted' \"twice\""),
            "start_method": lambda: self.of("fork", "spawn", "forkserver"),
            "env": self.env,
            "grace_period": lambda: self.of(1.5, "1m", "${params.t}"),
            "timeout": lambda: self.of("1h", 90),
            "max_parallel": lambda: self.of(8, "${params.n}"),
            "fail_fast": lambda: self.of(True, False),
            "log": lambda: {"tasks": self.of("all", "failures")},
            "defaults": lambda: self.some(
                {"retries": self.retries, "max_memory": lambda: "1G", "chunksize": lambda: 2}
            ),
            "targets": lambda: {"short": "jobs:f"},
            "x-note": lambda: {"anything": "${goes"},
        }
        return self.some(makers)

    def env(self) -> dict[str, Any]:
        return {"A": "1", "B": self.of(5, "text", "${params.token}", "${run.id}", "${params.n}")}

    def retries(self) -> Any:
        return self.of(
            0, 2, "${params.n}", {"count": 1, "delay": "1s", "backoff": "exponential", "on": ["lost", "OSError"]}
        )

    def step(self, before: list[str]) -> dict[str, Any]:
        makers: dict[str, Callable[[], Any]] = {
            "retries": self.retries,
            "continue_on_error": lambda: self.of(True, False),
            "max_memory": lambda: self.of("512M", 1 << 30),
            "env": self.env,
            "working_dir": lambda: ".",
        }
        if before:
            ended = ("finished", "succeeded")
            makers["needs"] = lambda: self.of(self.of(*before), before[:2], {before[0]: self.of(*ended)})
        return {"target": self.of("jobs:f", "jobs.py:C.m", "time:time"), **self.some(makers)}

    def process(self, before: list[str]) -> dict[str, Any]:
        kind = self.of("plain", "plain", "daemon", "foreach", "matrix", "zip")
        entry = self.step(before)
        if kind == "plain":
            results = {"result": f"${{results.{self.of(*before)}}}"} if before and self.of(True, False) else {}
            return {**entry, "args": self.values(), "kwargs": {**self.kwargs(), **results}}
        if kind == "daemon":
            return {**entry, "daemon": True}
        if kind == "foreach":
            return {**entry, "foreach": self.items(before), "args": ["${item}", "x ${item} y"], "max_parallel": 2}
        grid = self.matrix() if kind == "matrix" else self.zip()
        return {**entry, kind: grid, **self.of({}, {"args": ["${matrix.x}", "${matrix.y} there"]})}

    def pool(self, before: list[str]) -> dict[str, Any]:
        sizes: dict[str, Callable[[], Any]] = {
            "processes": lambda: self.of(1, "cpus", "cpus - 1", "${params.n}"),
            "maxtasksperchild": lambda: 5,
            "initializer": lambda: "jobs:setup",
            "finalizer": lambda: "jobs:give",
        }
        entry = {**self.step(before), **self.some(sizes)}
        call = self.of("apply", "map", "starmap", "imap", "imap_unordered", "matrix", "zip")
        if call == "apply":
            return {**entry, "apply": self.some({"args": self.values, "kwargs": self.kwargs})}
        if call == "starmap":
            return {**entry, "starmap": self.of([[1, 2], {"a": 1}], {"csv": "rows.csv"}, {"jsonl": "rows.jsonl"})}
        grids = {"matrix": self.matrix, "zip": self.zip}
        source = grids[call]() if call in grids else self.items(before)
        return {**entry, call: source, **self.some({"kwargs": lambda: {"k": "${run.dir}"}, "chunksize": lambda: 3})}

    def items(self, before: list[str]) -> Any:
        results = [f"${{results.{before[-1]}}}"] if before else []
        sources: list[Any] = [
            self.values(),
            "${params.l}",
            {"range": self.of(5, "${params.n}", [1, 9, 2])},
            {"glob": "*.txt"},
            {"glob": "*.none", "allow_empty": True},
            {"lines": "texts.txt"},
            {"csv": "rows.csv", "delimiter": ","},
            {"jsonl": "rows.jsonl"},
            {"call": "jobs:numbers", "args": [3], "kwargs": {"a": "${params.s}"}},
        ]
        source = self.of(*sources, *results)
        return {**source, **self.some({"skip": lambda: 1, "first": lambda: 9})} if isinstance(source, dict) else source

    def matrix(self) -> dict[str, Any]:
        axes = {"x": self.of([1, 2, 3], {"range": 3}, "${params.l}"), "y": ["a", "b"]}
        more = {
            "include": lambda: [{"x": 9, "y": "c"}, {"y": "a", "z": 1}],
            "exclude": lambda: [{"x": 1, "y": ["a", "b"]}],
        }
        return {**axes, **self.some(more)}

    def zip(self) -> dict[str, Any]:
        return {"x": [1, 2, 3], "y": self.of({"range": 3}, ["a", "b", "c"], {"range": "${params.n}"})}


def random_workflow(seed: int) -> dict[str, Any]:
    return Chance(seed).workflow()
