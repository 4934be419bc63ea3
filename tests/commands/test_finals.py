"""A workflow with a finalizer, from its YAML to what is told of it afterwards."""

from __future__ import annotations

import pytest
from conftest import CommandLine

JOBS = """
    import os
    from collections import Counter

    words = Counter()


    def count(text):
        words.update(text.split())
        return len(text)


    def give():
        with open("calls", "a") as calls:
            calls.write("give\\n")
        return words


    def add_up(counters):
        return dict(sorted(sum(counters, Counter()).items()))


    def give_secret():
        return os.environ["TOKEN"]


    def size(counter):
        return counter.total()


    def refuse():
        raise ValueError("no luck")
    """
FLOW = """
    targets: {end: jobs:give}
    pools:
      count: {processes: 2, target: jobs:count, map: [a b a, b c, d, a], finalizer: end}
      sizes: {processes: 1, target: jobs:size, map: "${results.count.finals}"}
    processes:
      total: {target: jobs:add_up, args: ["${results.count.finals}"]}
      lengths: {target: builtins:sum, args: ["${results.count}"]}
      first: {target: builtins:len, args: ["${results.count.finals.0}"], if: "${results.sizes.0} >= 0"}
    """


@pytest.fixture
def flow(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    mprun.write("flow.yaml", FLOW)
    return mprun


def result(flow: CommandLine, step: str) -> object:
    (value,) = [event["result"] for event in flow.log() if event["event"] == "process.result" and event["step"] == step]
    return value


@pytest.mark.parametrize("options", [[], ["--inline"]])
def test_counters_of_workers_are_added_up(flow: CommandLine, options: list[str]) -> None:
    ran = flow("-q", "flow.yaml", *options)
    assert (ran.code, ran.stderr) == (0, "")
    assert (result(flow, "total"), result(flow, "lengths")) == ({"a": 3, "b": 2, "c": 1, "d": 1}, 10)
    sizes = [each["result"] for each in flow.log() if each["event"] == "task.result" and each["step"] == "sizes"]
    assert sum(sizes) == 7


def test_a_condition_on_plain_finals(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write(
        "flow.yaml",
        """
        pools: {p: {processes: 1, target: "jobs:count", map: [a], finalizer: "builtins:dict"}}
        processes:
          yes: {target: "builtins:int", if: "${results.p.finals} == [null] or ${results.p} == [1]"}
          no: {target: "builtins:int", if: "${results.p.finals.0} == 5"}
        """,
    )
    ran = mprun("flow.yaml")
    assert (ran.code, "no: skipped: its `if` is false" in ran.stderr, "yes: succeeded" in ran.stderr) == (0, True, True)


def test_what_is_told_afterwards(flow: CommandLine) -> None:
    flow.write("flow.yaml", FLOW.replace("jobs:give}", "jobs:refuse}").replace("processes: 2", "processes: 1"))
    ran = flow("flow.yaml")
    told = "its finalizer `jobs:refuse` raised ValueError: no luck (in worker 1)"
    assert (ran.code, f"count: failed: {told}" in ran.stderr) == (1, True)
    shown = flow("show", "latest").stdout
    assert f"{told}: 4 returned, 1 final raised" in shown
    assert "count, the finalizer of worker 1: raised: ValueError: no luck\n" in shown
    assert 'in refuse\n        raise ValueError("no luck")' in shown.replace("\\n", "\n")
    assert "worker.finalized  count  raised in" in flow("logs", "latest", "--event", "worker.finalized").stdout


def test_before_it_runs(flow: CommandLine) -> None:
    """Each place that shows a plan."""
    assert 'finals["count"]' in flow("plan", "flow.yaml").stdout
    assert '"finalizer"' in flow("plan", "--json", "flow.yaml").stdout
    assert '"count" -> "total" [label="results"]' in flow("graph", "flow.yaml", "--format", "dot").stdout


def test_a_run_that_goes_on_gathers_again(flow: CommandLine) -> None:
    """What workers have gathered is gone with them; what depends on it is made again only where that has changed."""
    flow.write("flow.yaml", FLOW.replace("processes: 2", "processes: 1"))
    assert flow("-q", "flow.yaml").code == 0
    told = flow("run", "flow.yaml", "--reuse", "latest", "--explain").stdout
    assert "count: run, as its finals come from what its workers have gathered" in told
    ran = flow("run", "-q", "flow.yaml", "--reuse", "latest")
    assert (ran.code, ran.stderr, result(flow, "total")) == (0, "", {"a": 3, "b": 2, "c": 1, "d": 1})
    assert (flow.folder / "calls").read_text() == "give\n" * 2
    reused = {event["step"] for event in flow.log() if "reused" in event}
    assert reused == {"total", "sizes", "first", "lengths"}


def test_a_recorded_call_has_the_finals_that_it_had(flow: CommandLine) -> None:
    assert flow("-q", "flow.yaml").code == 0
    assert "{'a': 3, 'b': 2, 'c': 1, 'd': 1}" in flow("repro", "latest", "total").stdout
    assert flow("repro", "latest", "sizes[0]").code == 0


def test_a_secret_is_not_kept(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write(
        "flow.yaml",
        """
        params: {token: {secret: true}}
        env: {TOKEN: "${params.token}"}
        pools: {p: {processes: 1, target: "jobs:count", map: [a], finalizer: "jobs:give_secret"}}
        processes: {all: {target: "builtins:len", args: ["${results.p.finals}"]}}
        """,
    )
    ran = mprun("flow.yaml", "-p", "token=tr0ub4dor")
    assert (ran.code, "it returned a secret" in ran.stderr) == (1, True)
    files = [path for path in (mprun.folder / ".mprun").rglob("*") if path.is_file()]
    assert [path for path in files if b"tr0ub4dor" in path.read_bytes()] == []


@pytest.mark.parametrize("form", ["chrome-trace", "otlp"])
def test_exports_have_a_span_of_each(flow: CommandLine, form: str) -> None:
    assert flow("-q", "flow.yaml", "--inline").code == 0
    assert "finalizer" in flow("export", "latest", "--format", form).stdout
