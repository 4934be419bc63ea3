"""Programs in the place of targets: what they are given, what becomes of their output and of their end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from mprun.errors.exceptions import ExitCode
from mprun.language.references import Reference, parse
from mprun.plan.plan import Limits, Retries, StartMethod, Step
from mprun.sinks.summary import Summary
from mprun.sources.table import ListSource, RangeSource
from mprun.worker import command as commands

pytestmark = pytest.mark.usefixtures("warm")

LONG = "60"  # seconds; nothing here may wait that long
RUN_COMMAND = "mprun.worker.command:run_command"
ITEM = Reference("item")

RunCommand = Callable[..., Ran]


def one(*command: Any, limits: Limits | None = None) -> Step:
    return replace(process("zoo", RUN_COMMAND, folder=HERE), command=command, limits=limits or Limits())


def many(source: Any, *command: Any, limits: Limits | None = None, **options: Any) -> Step:
    return replace(pool("zoo", RUN_COMMAND, source, folder=HERE, **options), command=command, limits=limits or Limits())


@pytest.fixture
def run_step(tmp_path: Path) -> Callable[..., Ran]:
    def run_it(step: Step, start_method: StartMethod = "fork", **options: Any) -> Ran:
        return run(zoo_plan(step, start_method=start_method, **options), tmp_path)

    return run_it


# -- what it is given


def test_its_standard_output_is_the_result(run_step: RunCommand, start_method: StartMethod) -> None:
    """As text, without the last newline; each line is told too, as the line of whoever printed it."""
    ran = run_step(one("printf", "%s\n", "one", "two", ""), start_method)
    assert ran.values() == ["one\ntwo\n"]
    assert ran.printed() == ["one", "two", ""]
    assert ran.end.exit_code is ExitCode.SUCCEEDED


@pytest.mark.parametrize(
    "item",
    ["plain", "two words", "$HOME", "`id`", "; rm -rf x", "'", '"', "*", "--flag", "", "a\nb", "é\udcff", "${item}"],
)
def test_an_item_is_one_argument_whatever_it_contains(run_step: RunCommand, item: str) -> None:
    """No shell reads it."""
    ran = run_step(many([item], "sh", "-c", 'printf "%s:%s" $# "$1"', "sh", ITEM))
    shown = item.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    assert ran.values() == [f"1:{shown}"]


@pytest.mark.parametrize(
    ("step", "values"),
    [
        (many(RangeSource(0, 3, 1), "echo", parse("n=${item}")), ["n=0", "n=1", "n=2"]),
        (many([[1, "x"], [2, "y"]], "echo", parse("${item.1}"), call="starmap"), ["x", "y"]),
        (many([{"a": 1, "b": "x"}, [2]], "echo", parse("${item}"), call="starmap"), ['{"a": 1, "b": "x"}', "[2]"]),
        (many([{"a": [1, True]}], "echo", parse("${item.a}")), ["[1, true]"]),
        (many(0, "echo", 1.5, "text", call="apply"), ["1.5 text"]),
        (many([{"n": 5}], "echo", parse("${item.n}"), call="imap_unordered", engine="stdlib"), ["5"]),
    ],
)
def test_what_its_arguments_refer_to(run_step: RunCommand, step: Step, values: list[str]) -> None:
    assert run_step(step).values() == values


def test_each_cell_runs_it(run_step: RunCommand) -> None:
    step = replace(one("echo", parse("${matrix.a}-${matrix.b}")), cells=ListSource(({"a": 1, "b": 2},)), cell="matrix")
    assert run_step(step).values() == ["1-2"]


def test_its_surroundings(run_step: RunCommand) -> None:
    """It runs in the children's folder, with their variables, and has nothing to read."""
    ran = run_step(one("sh", "-c", 'pwd; echo "$WHO"; wc -c'), env={"WHO": "me"})
    assert ran.values()[0].split() == [HERE, "me", "0"]


# -- what it writes


def test_standard_error_is_told_and_no_result(run_step: RunCommand) -> None:
    ran = run_step(one("sh", "-c", "echo out; echo err >&2"))
    assert ran.values() == ["out"]
    assert (ran.printed(), ran.printed("stderr")) == (["out"], ["err"])


def test_output_of_a_task_is_its_own(run_step: RunCommand) -> None:
    """Lines without an end, too."""
    ran = run_step(many(RangeSource(0, 20, 1), "printf", "%s", ITEM, processes=2))
    assert sorted((event["task"], event["text"]) for event in ran.named("output")) == [(n, str(n)) for n in range(20)]


def test_bytes_that_are_no_text(run_step: RunCommand) -> None:
    ran = run_step(one("printf", r"\377\000\n"))
    assert ran.values() == ["\\xff\x00"]
    assert ran.printed() == ["(its output is not text, and isn't shown: `stdout: FILE` writes it to a file)"]


def test_a_great_deal_of_output(run_step: RunCommand) -> None:
    """A megabyte on both streams at once blocks nobody."""
    script = "for i in $(seq 200); do printf '%05000d\\n' 0; printf '%05000d\\n' 1 >&2; done"
    ran = run_step(one("sh", "-c", script))
    assert ran.results()[0]["result"]["size"] == 200 * 5001 - 1
    assert len(ran.printed("stderr")) == 200


def test_output_that_is_too_much_for_a_result(run_step: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_CAPTURED", 1000)
    ran = run_step(one("sh", "-c", "while :; do echo 1234567; done"))
    assert ran.results()[0]["exception.message"] == "it wrote more than 1,000 bytes on its standard output"


def test_what_is_left_behind_is_not_waited_for(run_step: RunCommand) -> None:
    """Something that it started holds its output: its end is its own, and the rest is ended with the child."""
    ran = run_step(one("sh", "-c", f"sleep {LONG} & echo done"))
    assert ran.values() == ["done"]


# -- how it ends


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 3", "`sh` exited with code 3"),
        ("echo it broke >&2; exit 1", "`sh` exited with code 1\nit broke"),
        ("kill -9 $$", "`sh` was killed by SIGKILL"),
        ("kill -50 $$", "`sh` was killed by signal 50"),
        ("seq 100 >&2; exit 1", "\n".join(["`sh` exited with code 1", *map(str, range(91, 101))])),
    ],
)
def test_an_exit_code_that_is_not_0(run_step: RunCommand, script: str, message: str) -> None:
    """It is raised, with what the program said last; no traceback of ours."""
    ran = run_step(one("sh", "-c", script))
    result = ran.results()[0]
    assert (result["outcome"], result["exception.type"]) == ("raised", "mprun.CommandFailed")
    assert result["exception.message"] == message
    assert "Traceback" not in result["exception.stacktrace"]
    assert ran.end.exit_code is ExitCode.FAILED


def test_a_program_that_is_not_there(run_step: RunCommand) -> None:
    """Where only the item tells its name."""
    ran = run_step(many(["no-such-program", "true"], ITEM))
    assert ran.outcomes() == ["raised", "returned"]
    assert ran.results()[0]["exception.type"] == "FileNotFoundError"


def test_it_can_be_tried_again(run_step: RunCommand, tmp_path: Path) -> None:
    retries = Retries(count=2, on=("raised",))
    ran = run_step(many([str(tmp_path / "mark")], "mkdir", ITEM, limits=Limits(retries=retries)))
    assert ran.outcomes() == ["returned"]
    ran = run_step(many([str(tmp_path / "mark")], "mkdir", ITEM, limits=Limits(retries=retries)))
    assert (len(ran.named("task.retried")), ran.outcomes()) == (2, ["raised"])


@pytest.mark.parametrize("step", [one("sleep", LONG), many([LONG], "sleep", ITEM)], ids=["process", "pool"])
def test_a_program_that_takes_too_long(run_step: RunCommand, start_method: StartMethod, step: Step) -> None:
    """It is in the group of its child, and ends with it."""
    ran = run_step(replace(step, limits=Limits(timeout=0.3)), start_method)
    assert ran.outcomes() == ["timed_out"]


def test_a_program_that_is_deaf_to_sigterm(run_step: RunCommand) -> None:
    step = one("sh", "-c", f"trap '' TERM; echo deaf; sleep {LONG}; sleep {LONG}", limits=Limits(timeout=0.3))
    assert run_step(step, grace_period=0.2).outcomes() == ["timed_out"]


def test_a_program_whose_child_is_killed(run_step: RunCommand) -> None:
    """What happens to the process that waits for it: the call is lost, and the program is ended too."""
    ran = run_step(one("sh", "-c", f"kill -9 $PPID; sleep {LONG}"))
    assert ran.outcomes() == ["lost"]
    assert ran.one("process.joined")["signal"] == signal.Signals.SIGKILL.name


def test_how_a_failure_is_shown(tmp_path: Path) -> None:
    """The program's own words, and not a line twice."""
    from mprun.log.writer import open_log
    from mprun.running.run import run_plan

    summary = Summary()
    step = one("sh", "-c", "echo no such thing >&2; exit 2")
    run_plan(zoo_plan(step, start_method="fork"), "by-hand", open_log(str(tmp_path / "log")), [summary], print)
    assert summary.text("x").splitlines()[:3] == [
        "zoo: raised: mprun.CommandFailed: `sh` exited with code 2",
        '    called with (["sh", "-c", "echo no such thing >&2; exit 2"])',
        "    no such thing",
    ]
