"""Runs that go on from others: what was done is not done again, what changed is, and nothing else."""

from __future__ import annotations

import fcntl
import random
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CommandLine
from killed import survive_kills
from log_checks import results

JOBS = """
    from pathlib import Path


    def note(what):
        with open("calls", "a") as calls:
            calls.write(f"{what}\\n")


    def number(n):
        note(f"number {n}")
        if n == 3 and Path("broken").exists():
            raise ValueError(n)
        return n * 10


    def power(base, exponent):
        note(f"power {base}")
        return base**exponent


    def cell(name, greeting="hello"):
        note(f"cell {name}")
        return f"{greeting} {name}"


    def add(numbers):
        note("add")
        return sum(numbers)


    def line(text):
        note(f"line {text}")
        return bytearray(200_000) + text.encode()


    def size(data):
        note(f"size {data[-1:].decode()}")
        return len(data)
    """
FLOW = """
    params: {exponent: 2}
    processes:
      cells: {target: jobs:cell, foreach: [north, south], args: ["${item}"]}
      one: {target: jobs:cell, args: [alone], needs: cells}
    pools:
      numbers: {processes: 1, target: jobs:number, map: [1, 2, 3]}
      powers: {processes: 1, target: jobs:power, map: "${results.numbers}", kwargs: {exponent: "${params.exponent}"}}
      sum: {processes: 1, target: jobs:add, apply: {args: ["${results.powers}"]}}
      lines: {processes: 1, target: jobs:line, imap: {lines: in.txt}}
      sizes: {processes: 1, target: jobs:size, imap_unordered: "${results.lines}"}
    """
ALL = {
    *("cell north", "cell south", "cell alone", "number 1", "number 2", "number 3", "power 10", "power 20", "power 30"),
    *("add", "line a", "line b", "size a", "size b"),
}


@pytest.fixture
def flow(mprun: CommandLine) -> CommandLine:
    """A folder with the workflow, which has not run yet."""
    mprun.write("jobs.py", JOBS)
    mprun.write("flow.yaml", FLOW)
    mprun.write("in.txt", "a\nb\n")
    return mprun


def calls(flow: CommandLine) -> list[str]:
    """What has been called since this was last asked for."""
    path = flow.folder / "calls"
    told = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(told)


def values(log: list[dict[str, object]]) -> dict[str, list[object]]:
    """The results of each step, by task."""
    steps = {str(event["step"]) for event in log if str(event["event"]).endswith(".result")}
    return {
        step: [each["result"] for each in sorted(results(log, step), key=lambda event: event.get("task", 0))]
        for step in sorted(steps)
    }


def rewrite(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def add_item(folder: Path) -> None:
    rewrite("flow.yaml", "[1, 2, 3]", "[5, 3, 2, 1]")(folder)


# What is changed between the two runs, what else is given, and what is called again.
CHANGES: dict[str, tuple[Callable[[Path], None] | None, list[str], set[str]]] = {
    "nothing": (None, [], set()),
    "an item more, and in another order": (add_item, [], {"number 5", "power 50", "add"}),
    "an item less": (rewrite("flow.yaml", "[1, 2, 3]", "[1, 3]"), [], {"add"}),
    "a line more": (rewrite("in.txt", "a\n", "c\na\n"), [], {"line c", "size c"}),
    "a cell more": (rewrite("flow.yaml", "north,", "west, north,"), [], {"cell west"}),
    "a parameter": (None, ["-p", "exponent=3"], {"power 10", "power 20", "power 30", "add"}),
    "the functions' module": (rewrite("jobs.py", "n * 10", "n * 1000"), [], ALL - {"power 10", "power 20", "power 30"}),
    "arguments": (rewrite("flow.yaml", "[alone]", "[alone, hi]"), [], {"cell alone"}),
    "a variable": (rewrite("flow.yaml", "needs: cells", "needs: cells, env: {A: b}"), [], {"cell alone"}),
    "the name of a step": (rewrite("flow.yaml", "numbers", "figures"), [], set()),
    "limits and sizes": (rewrite("flow.yaml", "processes: 1,", "processes: 2, retries: 1, timeout: 1m,"), [], set()),
    "the call": (rewrite("flow.yaml", "map: [1", "imap_unordered: [1"), [], set()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_a_change_touches_is_run(flow: CommandLine, what: str) -> None:
    change, options, again = CHANGES[what]
    assert flow("-q", "flow.yaml").code == 0
    assert set(calls(flow)) == ALL
    before = values(flow.log())
    if change is not None:
        change(flow.folder)
    ran = flow("run", "-q", "flow.yaml", "--reuse", "latest", *options)
    assert (ran.code, ran.stderr) == (0, "")
    made = set(calls(flow))
    if what == "the functions' module":
        made = {call for call in made if not call.startswith("power")}
    assert made == again
    log = flow.log()
    assert log[0]["resumes"] == flow.logs()[0][0]["run_id"]
    if not again and what != "the name of a step":
        assert values(log) == before
        assert [event for event in log if event["event"] == "worker.started"] == []
        assert {event["reused"] for event in log if event["event"].endswith(".result")} == {log[0]["resumes"]}


def test_a_failed_run_goes_on_where_it_failed(flow: CommandLine) -> None:
    flow.write("broken", "")
    assert flow("-q", "flow.yaml").code == 1
    assert "add" not in calls(flow)
    assert flow("resume", "latest", "-q").code == 1  # it is still broken
    assert calls(flow) == ["number 3"]
    (flow.folder / "broken").unlink()
    assert flow("resume", "latest", "-q").code == 0
    assert calls(flow) == ["add", "number 3", "power 10", "power 20", "power 30"]
    third = values(flow.log())
    assert flow("-q", "flow.yaml").code == 0  # an unbroken one
    assert values(flow.log()) == third


def test_it_has_the_parameters_of_the_run(flow: CommandLine) -> None:
    assert flow("-q", "flow.yaml", "-p", "exponent=3").code == 0
    calls(flow)
    assert flow("resume", "latest", "-q", env={"MPRUN_PARAM_EXPONENT": "5"}).code == 0
    assert calls(flow) == []
    assert flow("resume", "latest", "-q", "-p", "exponent=4").code == 0
    assert calls(flow) == ["add", "power 10", "power 20", "power 30"]


def test_a_part_stays_a_part(flow: CommandLine) -> None:
    assert flow("run", "-q", "flow.yaml", "--only", "powers", "--first", "2").code == 0
    assert calls(flow) == ["number 1", "number 2", "power 10", "power 20"]
    assert flow("resume", "latest", "-q").code == 0
    assert calls(flow) == []
    assert flow("run", "-q", "flow.yaml", "--only", "powers", "--reuse", "latest").code == 0
    assert calls(flow) == ["number 3", "power 30"]


def test_counted_tasks_are_taken_over_where_they_are_counted(flow: CommandLine) -> None:
    (flow.folder / "flow.yaml").write_text("log: {tasks: failures}\n" + (flow.folder / "flow.yaml").read_text())
    for _ in range(2):
        assert flow("run", "-q", "flow.yaml", *(["--reuse", "latest"] if flow.logs() else [])).code == 0
    assert sorted(set(calls(flow))) == sorted(ALL)
    counted = [event for event in flow.log() if event["event"] == "tasks.counted" and "reused" in event]
    assert sum(event["returned"] for event in counted) == 11


def test_what_is_shared_is_new_in_each_run(flow: CommandLine) -> None:
    flow.write(
        "flow.yaml",
        """
        shared: {lock: Lock}
        pools:
          numbers: {processes: 1, target: jobs:number, map: [1]}
          locked: {processes: 1, target: jobs:cell, map: [a], kwargs: {greeting: "${shared.lock}"}}
        """,
    )
    assert flow("-q", "flow.yaml").code == 0
    calls(flow)
    told = flow("resume", "latest", "--explain").stdout
    assert told == "numbers: reused\nlocked: run, as what it shares with other steps is new in each run\n"
    assert flow("resume", "latest", "-q").code == 0
    assert calls(flow) == ["cell a"]


SECRET = """
    params: {token: {type: str, secret: true}}
    pools:
      numbers: {processes: 1, target: jobs:number, map: [1], env: {TOKEN: "${params.token}"}}
    """


def test_secrets_are_asked_for_again(flow: CommandLine) -> None:
    """And are no part of what work is: another one makes no call again."""
    flow.write("flow.yaml", SECRET)
    assert flow("-q", "flow.yaml", "-p", "token=first-secret").code == 0
    ran = flow("resume", "latest")
    assert (ran.code, "token" in ran.stderr) == (2, True)
    calls(flow)
    assert flow("resume", "latest", "-q", "-p", "token=other-secret").code == 0
    assert calls(flow) == []
    kept = b"".join(path.read_bytes() for path in flow.folder.glob(".mprun/**/*") if path.is_file())
    assert b"first-secret" not in kept
    assert b"other-secret" not in kept


# -- what is refused


def spoil_log(folder: Path) -> None:
    (log,) = folder.glob(".mprun/runs/*/events.jsonl")
    log.write_bytes(log.read_bytes().replace(b'"result":10', b'"result":11'))


def take_plan(folder: Path) -> None:
    (plan,) = folder.glob(".mprun/runs/*/plan.json")
    plan.unlink()


def change_plan(folder: Path) -> None:
    (plan,) = folder.glob(".mprun/runs/*/plan.json")
    plan.write_text("[]\n")


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a log that was changed": (spoil_log, "error: the run RUN was changed since: `mprun verify RUN` says where\n"),
    "no plan": (
        take_plan,
        "error: .mprun/runs/RUN/events.jsonl is a log by itself: only a run with a folder of its own can be resumed\n",
    ),
    "another plan": (
        change_plan,
        "error: the plan .mprun/runs/RUN/plan.json is not the one that was run: the log's head has another SHA-256\n",
    ),
    "no workflow": (lambda folder: (folder / "flow.yaml").unlink(), "error[file-not-found]"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_gone_on_from(flow: CommandLine, what: str) -> None:
    spoil, told = REFUSED[what]
    flow.write("flow.yaml", "pools: {numbers: {processes: 1, target: jobs:number, map: [1]}}")
    flow("-q", "flow.yaml")
    run_id = flow.log()[0]["run_id"]
    spoil(flow.folder)
    ran = flow.shell("$MPRUN resume latest")
    assert ran.code == 2
    assert ran.stderr.replace(run_id, "RUN").replace(f"{flow.folder}/", "").startswith(told)
    assert len(list(flow.folder.glob(".mprun/runs/*/"))) == 1


@pytest.mark.parametrize("line", ["{}", "[]", '{"step":"numbers","digest":"","parts":5}', "[" * 99999, "\udcff"])
def test_a_damaged_note_of_a_step_says_nothing(flow: CommandLine, line: str) -> None:
    flow.write("flow.yaml", "pools: {numbers: {processes: 1, target: jobs:number, map: [1]}}")
    assert flow("-q", "flow.yaml").code == 0
    (notes,) = flow.folder.glob(".mprun/runs/*/digests/steps.jsonl")
    notes.write_bytes(f"{line}\n".encode(errors="surrogateescape"))
    ran = flow("resume", "latest", "--explain")
    assert (ran.code, ran.stdout) == (0, "numbers: run, as that run never came to it\n")


def test_a_run_at_work(flow: CommandLine) -> None:
    flow.write("flow.yaml", "pools: {numbers: {processes: 1, target: jobs:number, map: [1]}}")
    assert flow("-q", "flow.yaml").code == 0
    (log,) = flow.folder.glob(".mprun/runs/*/events.jsonl")
    with log.open("r+b") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        ran = flow.shell("$MPRUN resume latest")
    assert (ran.code, ran.stderr) == (2, f"error: the run {log.parent.name} is still at work\n")


# -- said before

EXPLAINED: dict[str, tuple[Callable[[Path], None] | None, str]] = {
    "what failed": (
        None,
        """
        cells: all 2 tasks reused
        one: reused
        numbers: 2 of 3 tasks reused
          numbers[2]: raised before
        powers: run, as that run never came to it
        sum: depends on the results of `powers`: only the run shows whether they change
        lines: all 2 tasks reused
        sizes: does the same work as before: it is run for those items that are new, or failed
        """,
    ),
    "what changed": (
        lambda folder: (
            rewrite("flow.yaml", "[alone]", "[alone, hi]")(folder),
            rewrite("flow.yaml", "north,", "west, north,")(folder),
            rewrite("flow.yaml", "lines: {", "texts: {env: {A: b}, ")(folder),
            rewrite("flow.yaml", "results.lines", "results.texts")(folder),
        )[0],
        """
        cells: 2 of 3 tasks reused
          cells[0]: a new item
        one: run, as it has changed: args
        numbers: 2 of 3 tasks reused
          numbers[2]: raised before
        powers: run, as that run never came to it
        sum: depends on the results of `powers`: only the run shows whether they change
        texts: run, as that run, of `flow`, has no step of that name
        sizes: does the same work as before: it is run for those items that are new, or failed
        """,
    ),
}


@pytest.mark.parametrize("what", EXPLAINED)
def test_why_is_said_and_nothing_started(flow: CommandLine, what: str) -> None:
    change, told = EXPLAINED[what]
    flow.write("broken", "")
    flow("-q", "flow.yaml")
    if change is not None:
        change(flow.folder)
    ran = flow("resume", "latest", "--explain")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == textwrap.dedent(told).lstrip("\n")
    assert len(flow.logs()) == 1


def test_explaining_needs_a_run(flow: CommandLine) -> None:
    ran = flow("run", "flow.yaml", "--explain")
    told = "error: `--explain` says what a run would reuse: `--reuse RUN` names the earlier run\n"
    assert (ran.code, ran.stderr) == (2, told)


# -- one call again

CALLS = {
    "numbers[1]": "jobs.number(2)\nreturned 20\n",
    "powers[1]": "jobs.power(20, exponent=2)\nreturned 400\n",
    "sum": "jobs.add([100, 400, 900])\nreturned 1400\n",
    "cells@south": "jobs.cell('south')\nreturned 'hello south'\n",
    "cells[0]": "jobs.cell('north')\nreturned 'hello north'\n",
    "one": "jobs.cell('alone')\nreturned 'hello alone'\n",
}
NO_CALLS = {
    "nothing": "there is no step `nothing`: there is cells, one, numbers, powers, sum, lines, sizes",
    "numbers": "`numbers` makes several calls: which of them, such as `numbers[0]`?",
    "numbers[x]": "`numbers[x]` is not a task: write `numbers[0]`",
    "numbers[3]": "the run RUN has no task `numbers[3]`",
    "numbers@x": "`numbers` has no cells with labels: write `numbers[0]`",
    "cells@east": "`cells` has no cell `east`",
}


def test_one_call_again(flow: CommandLine) -> None:
    assert flow("-q", "flow.yaml").code == 0
    run_id = flow.log()[0]["run_id"]
    for task, told in CALLS.items():
        ran = flow("repro", "latest", task)
        assert (ran.code, ran.stdout, ran.stderr) == (0, told, "")
    for task, told in NO_CALLS.items():
        ran = flow("repro", "latest", task)
        assert (ran.code, ran.stderr.replace(run_id, "RUN")) == (2, f"error: {told}\n")
    assert len(flow.logs()) == 1


def test_one_call_of_a_workflow_in_another_folder(flow: CommandLine) -> None:
    assert flow.shell("mkdir other && mv flow.yaml jobs.py in.txt other && $MPRUN other/flow.yaml -q").code == 0
    for task in ("numbers[1]", "powers[1]", "sum"):
        assert flow("repro", "latest", task).stdout == CALLS[task]


def test_one_cell_wherever_it_stood(flow: CommandLine) -> None:
    """In a run that had it alone, and in a workflow that has others before it now."""
    assert flow("-q", "flow.yaml", "--only", "cells@south").code == 0
    assert flow("repro", "latest", "cells@south").stdout == CALLS["cells@south"]
    ran = flow("repro", "latest", "cells@north")
    told = f"the run {flow.log()[0]['run_id']} had no cell `cells@north`, or it was another one then"
    assert (ran.code, ran.stderr) == (2, f"error: {told}\n")
    assert flow("-q", "flow.yaml").code == 0
    rewrite("flow.yaml", "north,", "west, north,")(flow.folder)
    assert flow("repro", "latest", "cells@south").stdout == CALLS["cells@south"]


def test_cells_of_a_file_that_were_run_alone_are_taken_over(flow: CommandLine) -> None:
    rewrite("flow.yaml", "foreach: [north, south]", "foreach: {csv: cells.csv}, keys: name")(flow.folder)
    rewrite("flow.yaml", '["${item}"]', '["${item.name}"]')(flow.folder)
    flow.write("cells.csv", "name\nnorth\nsouth\n")
    assert flow("run", "-q", "flow.yaml", "--only", "cells@south").code == 0
    assert flow("repro", "latest", "cells@south").stdout == CALLS["cells@south"]
    assert calls(flow) == ["cell south", "cell south"]
    assert flow("run", "-q", "flow.yaml", "--only", "cells", "--reuse", "latest").code == 0
    assert calls(flow) == ["cell north"]


def test_one_call_that_fails_again(flow: CommandLine) -> None:
    """It is found by what its item is, wherever that stands now; the debugger opens where it raises."""
    flow.write("broken", "")
    assert flow("-q", "flow.yaml").code == 1
    add_item(flow.folder)
    ran = flow("repro", "latest", "numbers[2]")
    assert (ran.code, ran.stdout) == (1, "jobs.number(3)\n")
    assert ran.stderr.startswith("Traceback (most recent call last):\n")
    assert ran.stderr.endswith("raise ValueError(n)\nValueError: 3\n")
    ran = flow.shell("echo 'p n * 7' | $MPRUN repro latest 'numbers[2]' --pdb")
    assert (ran.code, "21" in ran.stdout) == (1, True)
    rewrite("flow.yaml", "[5, 3, 2, 1]", "[5]")(flow.folder)
    ran = flow("repro", "latest", "numbers[2]")
    told = "the item of `numbers[2]` is not among its items any more: they have changed"
    assert (ran.code, ran.stderr) == (2, f"error: {told}\n")


# -- killed


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_was_killed_goes_on(tmp_path: Path, seed: int) -> None:
    """At a random moment, and the next one at another: in the end each task's result is there once, as if unbroken."""
    survive_kills(tmp_path, random.Random(seed), kills=2)


# -- a call that is no longer the recorded one

NO_LONGER: dict[str, tuple[Callable[[Path], None], list[str], str, str]] = {
    "nothing": (lambda folder: None, [], "one", ""),
    "the function": (rewrite("jobs.py", 'f"{greeting} {name}"', "name"), [], "one", ""),
    "args": (rewrite("flow.yaml", "[alone]", "[alone, hi]"), [], "one", "args"),
    "env": (rewrite("flow.yaml", "needs: cells", "needs: cells, env: {A: b}"), [], "one", "env"),
    "a folder": (rewrite("flow.yaml", "needs: cells", "needs: cells, working_dir: ."), [], "one", ""),
    "kwargs": (lambda folder: None, ["-p", "exponent=3"], "powers[1]", "kwargs"),
    "limits": (rewrite("flow.yaml", "needs: cells", "retries: 1"), [], "one", ""),
    "results": (rewrite("flow.yaml", "[1, 2, 3]", "[3, 2, 1]"), [], "sum", ""),
}


@pytest.mark.parametrize("what", NO_LONGER)
def test_a_call_that_is_no_longer_the_recorded_one_says_so(flow: CommandLine, what: str) -> None:
    change, options, task, changed = NO_LONGER[what]
    assert flow("-q", "flow.yaml").code == 0
    change(flow.folder)
    ran = flow("repro", "latest", task, *options)
    told = f"note: this is no longer the recorded call: what has changed is {changed}\n" if changed else ""
    assert (ran.code, ran.stderr) == (0, told)


WHICH_RUN = """
    processes:
      once: {target: "builtins:str", args: ["${run.id} in ${run.dir}"]}
    pools:
      each: {processes: 1, target: "jobs:cell", map: [x], kwargs: {greeting: "${run.id}"}}
    """


def test_a_call_again_is_in_the_run_that_made_it(flow: CommandLine) -> None:
    """Whichever run has reused it since."""
    flow.write("flow.yaml", WHICH_RUN)
    assert flow("-q", "flow.yaml").code == 0
    made = values(flow.log())
    for _ in range(2):
        assert flow("run", "-q", "flow.yaml", "--reuse", "latest").code == 0
    assert values(flow.log()) == made
    for step in ("once", "each"):
        ran = flow("repro", "latest", step)
        assert (ran.code, ran.stdout.splitlines()[-1]) == (0, f"returned {made[step][0]!r}")


def test_a_parameter_that_the_workflow_has_no_more(flow: CommandLine) -> None:
    assert flow("-q", "flow.yaml", "-p", "exponent=2").code == 0
    rewrite("flow.yaml", "params: {exponent: 2}", "")(flow.folder)
    rewrite("flow.yaml", '"${params.exponent}"', "2")(flow.folder)
    calls(flow)
    note = "note: the run was given `exponent`: the workflow has no such parameter any more\n"
    assert flow("resume", "latest", "--explain").stderr == note
    assert flow("repro", "latest", "one").stderr == note
    calls(flow)
    ran = flow("resume", "latest")
    assert (ran.code, note in ran.stderr) == (0, True)
    assert calls(flow) == []
    ran = flow("resume", "latest", "-q", "-p", "exponent=2")
    assert (ran.code, "there is no parameter `exponent`" in ran.stderr) == (2, True)


@pytest.mark.parametrize("items", ["map: [5]", "imap: {lines: in.txt}", "starmap: [[5]]"])
def test_a_task_by_its_step_alone_where_it_makes_one_call(flow: CommandLine, items: str) -> None:
    flow.write("in.txt", "5\n")
    flow.write("flow.yaml", f"pools: {{p: {{processes: 1, target: 'builtins:str', {items}}}}}")
    assert flow("-q", "flow.yaml").code == 0
    ran = flow("repro", "latest", "p")
    assert (ran.code, ran.stdout.splitlines()[-1], ran.stderr) == (0, "returned '5'", "")
