"""Which items are the same, wherever they stand: by type and value, in whichever step did that work."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from conftest import CommandLine
from log_checks import results

from mprun.plan.digests import content_digest

JOBS = """
    def show(*args, **kwargs):
        return repr((*args, *kwargs.items()))


    def label(item):
        return str(item)
    """


@pytest.fixture
def jobs(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    return mprun


def run(jobs: CommandLine, flow: str, *, step: str = "p") -> list[tuple[object, bool]]:
    """(the result, whether it was reused) of each task of `step`, in a run that reuses the one before it."""
    jobs.write("flow.yaml", flow)
    reuse = ["--reuse", "latest"] if jobs.logs() else []
    ran = jobs("run", "-q", "flow.yaml", *reuse)
    assert (ran.code, ran.stderr) == (0, "")
    found = sorted(results(jobs.log(), step), key=lambda event: event.get("task", 0))
    return [(event["result"], "reused" in event) for event in found]


# A value, and one that Python, or JSON, takes for the same.
PAIRS = [
    ("1", "true"),
    ("0", "false"),
    ("2.0", "2"),
    ("7", "'7'"),
    ("0.0", "-0.0"),
    ("null", "'null'"),
    ("{k: 1}", "{k: true}"),
    ("[1]", "[1.0]"),
    ("{1: a}", "{'1': a}"),
    ("{true: a}", "{'true': a}"),
    ("{2: a}", "{2.0: a}"),
    ("{k: [{1: a}]}", "{k: [{'1': a}]}"),
    ("{'$pairs': [[5, a]]}", "{5: a}"),
    ("{a: 1, b: 2}", "{b: 2, a: 1}"),  # what is called sees the order
]
ONES, OTHERS = ([pair[at] for pair in PAIRS] for at in (0, 1))
FORMS = {
    "map": "pools: {{p: {{processes: 1, target: jobs:label, map: [{}]}}}}",
    "foreach": "processes: {{p: {{target: jobs:label, foreach: [{}], args: ['${{item}}']}}}}",
    "zip": "pools: {{p: {{processes: 1, target: jobs:label, zip: {{item: [{}]}}}}}}",
}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_values_of_another_type_have_other_digests(one: str, other: str) -> None:
    first, second = yaml.safe_load(one), yaml.safe_load(other)
    assert content_digest(first) != content_digest(second)
    assert content_digest([first]) != content_digest([second])
    assert content_digest(first) == content_digest(yaml.safe_load(one))


@pytest.mark.parametrize("form", ["map", "foreach", "zip"])
def test_items_of_another_type_are_called_again(jobs: CommandLine, form: str) -> None:
    for items, reused in ((ONES, False), (OTHERS, False), (OTHERS[::-1], True)):
        expected = [(str(yaml.safe_load(item)), reused) for item in items]
        assert run(jobs, FORMS[form].format(", ".join(items))) == expected


@pytest.mark.parametrize("given", ["args: [%s]", "kwargs: {a: %s}", "matrix: {a: [x], include: [{a: y, b: %s}]}"])
def test_arguments_of_another_type_are_called_with_again(jobs: CommandLine, given: str) -> None:
    for value, reused in (("{k: {1: a}}", False), ("{k: {'1': a}}", False), ("{k: {'1': a}}", True)):
        flow = f"processes: {{p: {{target: jobs:show, {given.replace('%s', value)}}}}}"
        result, was_reused = run(jobs, flow)[-1]
        assert (str(yaml.safe_load(value)) in str(result), was_reused) == (True, reused)


MOVES = {
    "renamed while another has the same target": (
        "{a: {%s map: [1, 2]}, b: {%s map: [3]}}",
        "{c: {%s map: [1, 2]}, b: {%s map: [3]}}",
    ),
    "swapped": ("{a: {%s map: [1, 2]}, b: {%s map: [3]}}", "{a: {%s map: [3]}, b: {%s map: [1, 2]}}"),
    "merged": ("{a: {%s map: [1, 2]}, b: {%s map: [3]}}", "{a: {%s map: [3, 2, 1]}, b: {%s map: [1]}}"),
    "divided": ("{a: {%s map: [1, 2, 3]}, b: {%s map: [4]}}", "{a: {%s map: [2, 4]}, b: {%s imap: [1, 3]}}"),
}


@pytest.mark.parametrize("what", MOVES)
def test_the_same_work_is_found_in_each_step(jobs: CommandLine, what: str) -> None:
    same = "processes: 1, target: jobs:show,"
    for number, flow in enumerate(MOVES[what]):
        jobs.write("flow.yaml", f"pools: {flow.replace('%s', same)}\n")
        assert jobs("run", "-q", "flow.yaml", *(["--reuse", "latest"] if number else [])).code == 0
    log = jobs.log()
    assert [event for event in log if event["event"] == "task.result" and "reused" not in event] == []
    for step, items in (("a", flow.split("[")[1].split("]")[0]), ("b", flow.split("[")[2].split("]")[0])):
        if step == "a" and what.startswith("renamed"):
            step = "c"
        found = sorted(results(log, step), key=lambda event: event["task"])
        assert [event["result"] for event in found] == [f"({item},)" for item in items.split(", ")]


def test_steps_around_a_run_always_run(jobs: CommandLine) -> None:
    """Someone is to be notified each time; and of other steps, those that say so."""
    jobs.write(
        "flow.yaml",
        """
        processes:
          works: {target: "jobs:show", args: ["${run.id}", "${results.p}"], needs: [again]}
          again: {target: "jobs:show", reuse: false}
          p: {target: "jobs:show"}
          broken: {command: [test, -e, mended]}
        on_failure:
          notify: {target: "jobs:show", foreach: [1, 2], args: ["${item}"]}
        """,
    )
    assert jobs("-q", "flow.yaml").code == 1
    assert jobs("resume", "latest", "--explain").stdout.splitlines() == [
        "works: reused",
        "again: run, as its `reuse` is false",
        "p: reused",
        "broken: run",
        "  broken[0]: raised before",
        "notify: run, as the steps around a run always are",
    ]
    assert jobs("resume", "latest", "-q").code == 1
    log = jobs.log()
    made = {event["step"] for event in log if event["event"] == "process.result" and "reused" not in event}
    assert made == {"again", "broken", "notify"}
    assert log[-1]["reused_tasks"] == 2


STREAMS = """
    processes:
      one: {command: [echo, one], stdout: one.txt}
      fan: {foreach: [a, b], command: [echo, "${item}"], stdout: "${item}.txt", stderr: "${item}.err"}
    pools:
      files: {processes: 1, command: [wc, -c, "${item}"], map: {glob: "in/*"}, stdout: "out/${item.stem}.txt"}
      grid: {processes: 1, command: [echo, "${matrix.n}"], matrix: {n: [1, 2]}, stdout: "${matrix.n}.n"}
      after: {processes: 1, command: [cat, "${item}"], map: "${results.fan}", stdout: "${item}.copy"}
    """
GONE = {
    "": set(),
    "one.txt": {"one"},
    "b.err": {"fan[1]"},
    "out/x.txt": {"files[0]"},
    "2.n": {"grid[1]"},
    "a.txt.copy": {"after[0]"},
}


def test_a_call_whose_file_is_gone_is_made_again(jobs: CommandLine) -> None:
    jobs.write("flow.yaml", STREAMS)
    assert jobs.shell("mkdir in out && touch in/x in/y && $MPRUN -q flow.yaml").code == 0
    for name, again in GONE.items():
        if name:
            (jobs.folder / name).unlink()
            explained = jobs("resume", "latest", "--explain").stdout
            assert re.search(f"its file `.*{re.escape(name)}` is gone", explained) or name == "a.txt.copy"
        ran = jobs("run", "-q", "flow.yaml", "--reuse", "latest")
        assert (ran.code, ran.stderr) == (0, "")
        made = [event for event in jobs.log() if str(event["event"]).endswith(".result") and "reused" not in event]
        assert {f"{event['step']}[{event['task']}]" if "task" in event else event["step"] for event in made} == again
    jobs.write("flow.yaml", STREAMS.replace("one.txt", "other.txt"))
    assert jobs("run", "-q", "flow.yaml", "--reuse", "latest").code == 0
    assert (jobs.folder / "other.txt").read_text() == "one\n"


# -- said everywhere

FANS = """
    processes:
      fan: {foreach: {range: 3}, command: [echo, "${item}"]}
      lone: {foreach: [a], target: "builtins:str.upper", args: ["${item}"]}
      none: {command: ["true"]}
    pools:
      pool: {processes: 1, target: "builtins:abs", map: [-1, -2]}
      more: {processes: 1, target: "builtins:abs", map: [%s]}
    """
SCREEN = """\
fan: ["0", "1", "2"] (all reused)
lone: ["A"] (reused)
none: "" (reused)
pool: [1, 2] (all reused)
more: [3, 4] (1 reused)
succeeded in … s: 5 steps; 9 tasks: 9 returned (8 reused)
"""
SHOWN = [
    "fan   succeeded in … s: 3 returned (3 reused)",
    "more  succeeded in … s: 2 returned (1 reused)",
]


def without_times(text: str) -> str:
    return re.sub(r"\b\d+\.\d+ s\b", "… s", text)


def test_a_reused_task_says_so_everywhere(mprun: CommandLine) -> None:
    mprun.write("flow.yaml", FANS % "-3")
    assert mprun("-q", "flow.yaml").code == 0
    run_id = mprun.log()[0]["run_id"]
    mprun.write("flow.yaml", FANS % "-3, -4")
    ran = mprun("run", "flow.yaml", "--reuse", "latest")
    said = without_times(ran.stderr)
    assert SCREEN in said
    for line in ("fan: succeeded after … s, all reused", "none: succeeded after … s, reused"):
        assert f"{line}\n" in said
    assert "more: succeeded after … s, 1 reused\n" in said
    shown = without_times(mprun("show", "latest").stdout)
    assert f"resumes   {run_id}\n" in shown
    assert "9 tasks: 9 returned (8 reused)\n" in shown
    assert [line for line in SHOWN if line not in shown.splitlines()] == []
    assert shown.split("slowest\n")[1].splitlines()[0] == "  more[1]: … s (returned, worker 1)"
    assert len(shown.split("slowest\n")[1].split("\n\n")[0].splitlines()) == 1
    assert f"reused from the run {run_id}: returned" in mprun("show", "latest", "fan[1]").stdout
    assert mprun("runs").stdout.splitlines()[-1].endswith("9: 9 returned (8 reused)")
    (first, second) = json.loads(mprun("runs", "--json").stdout)
    assert (first["reused"], second["reused"], second["outcomes"]) == (0, 8, {"returned": 9})
