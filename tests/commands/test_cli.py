"""The command as a user meets it: real runs in a folder of their own."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from conftest import COMMAND, CommandLine, environment
from log_checks import check_lines, check_log, outcomes

from mprun import __version__
from mprun.cli import commands
from mprun.cli.commands import COMMANDS, run
from mprun.cli.run_file import run_file

HELLO = """
    name: hello
    processes:
      greet: {target: jobs:greet, args: [World]}
"""

JOBS = """
    import os
    import sys
    import time

    def greet(name):
        print(f"Hello, {name}!")
        print("so quiet here", file=sys.stderr)
        return len(name)

    def square(number):
        return number * number

    def fail():
        raise ValueError("no luck")

    def talk(lines):
        for number in range(lines):
            print(number, "x" * 100)

    def wait():
        print("waiting", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def hello(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    mprun.write("hello.yaml", HELLO)
    return mprun


# -- a run


def test_a_run_says_what_happens_and_keeps_a_log(hello: CommandLine) -> None:
    """Children's stdout is on stdout and nothing else is; all words for people are on stderr."""
    ran = hello.start("hello.yaml")
    assert ran.code == 0
    assert ran.stdout == "Hello, World!\n"
    told = ran.stderr.splitlines()
    assert "greet: started (jobs:greet)" in told
    assert "so quiet here" in told
    assert "greet: 5" in told
    assert re.match(r"succeeded in \d\.\d{3} s: 1 step; 1 task: 1 returned$", told[-2])
    log = hello.folder / told[-1].removeprefix("log: ")
    events = check_log(log)
    assert (events[0]["name"], events[0]["run_id"]) == ("hello", log.parent.name)
    assert [(e["stream"], e["text"]) for e in events if e["event"] == "output"] == [
        ("stdout", "Hello, World!"),
        ("stderr", "so quiet here"),
    ]


def test_the_folder_of_a_run_is_its_owners_alone(hello: CommandLine) -> None:
    hello("hello.yaml")
    (folder,) = hello.folder.glob(".mprun/runs/*/")
    index = folder.with_name("index.jsonl")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (index, folder, *folder.iterdir())}
    files = dict.fromkeys(("index.jsonl", "plan.json", "events.jsonl", "events.head"), 0o600)
    assert modes == {folder.name: 0o700, "digests": 0o700, **files}
    assert (hello.folder / ".mprun/.gitignore").read_text() == "*\n"
    plan = json.loads((folder / "plan.json").read_text())
    assert [step["name"] for step in plan["steps"]] == ["greet"]


@pytest.mark.parametrize("words", [("hello.yaml",), ("run", "hello.yaml"), ("run", "--quiet", "hello.yaml")])
def test_run_may_be_left_out(hello: CommandLine, words: tuple[str, ...]) -> None:
    assert hello.start(*words).code == 0
    assert hello.log()[0]["command_line"][1:] == list(words)


def test_a_run_without_options_has_what_the_parser_would_give_it() -> None:
    parsed, unparsed = (inspect.signature(function).parameters for function in (run.command, run_file))
    defaults = {name: given.default for name, given in unparsed.items() if given.default is not inspect.Parameter.empty}
    assert defaults.pop("earlier") is None  # the run that `--reuse` names
    assert defaults == {name: parsed[name].default for name in defaults}


def test_the_table_of_commands_has_each_module() -> None:
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert modules == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_has_what_each_says_of_itself(name: str) -> None:
    command = importlib.import_module(f"mprun.cli.commands.{name}").command
    function = command.registered_callback.callback if isinstance(command, typer.Typer) else command
    summary, _, _ = inspect.getdoc(function).partition("\n\n")
    assert summary == COMMANDS[name]


@pytest.mark.parametrize("words", [["--help"], ["show", "--help"], ["--version"]])
def test_only_the_called_command_is_imported(words: list[str]) -> None:
    script = (
        "import sys; from mprun.cli.main import run_command_line; run_command_line(sys.argv[1:]); "
        "print(*(name for name in sys.modules if name.startswith('mprun.cli.commands.')), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert ran.stderr.split() == [f"mprun.cli.commands.{words[0]}"] * (words[0] in COMMANDS)


@pytest.mark.parametrize("words", [["FILE"], ["run", "FILE"], ["--version"]])
def test_where_nothing_is_to_be_parsed_the_parser_is_not_imported(hello: CommandLine, words: list[str]) -> None:
    script = (
        "import sys; from mprun.cli.main import run_command_line; code = run_command_line(sys.argv[1:]); "
        "print('typer' in sys.modules, int(code))"
    )
    words = [word.replace("FILE", str(hello.folder / "hello.yaml")) for word in words]
    ran = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=hello.folder)
    assert ran.stdout.splitlines()[-1] == "False 0"


def test_quiet_leaves_what_children_print(hello: CommandLine) -> None:
    ran = hello("hello.yaml", "-q")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "Hello, World!\n", "so quiet here\n")


def test_quiet_still_tells_a_failure(hello: CommandLine) -> None:
    hello.write("fail.yaml", "processes: {bad: {target: 'jobs:fail'}}")
    ran = hello.start("-q", "fail.yaml")
    assert ran.code == 1
    assert "bad: raised: ValueError: no luck" in ran.stderr


def test_what_fails_skips_what_needs_it_and_nothing_else(hello: CommandLine) -> None:
    hello.write(
        "chain.yaml",
        """
        processes:
          bad: {target: jobs:fail}
          after: {target: jobs:greet, args: [never], needs: bad}
          beside: {target: jobs:greet, args: [you]}
        """,
    )
    ran = hello("chain.yaml")
    assert ran.code == 1
    assert ran.stdout == "Hello, you!\n"
    assert "after: skipped: it needs `bad`, which failed" in ran.stderr
    events = hello.log()
    assert outcomes(events, "bad") == ["raised"]
    assert outcomes(events, "beside") == ["returned"]


def test_paths_start_from_the_workflow_and_runs_from_the_shell(hello: CommandLine) -> None:
    (hello.folder / "elsewhere").mkdir()
    assert hello("../hello.yaml", cwd="elsewhere").stdout == "Hello, World!\n"
    assert list(hello.folder.glob("elsewhere/.mprun/runs/*/events.jsonl"))
    assert not (hello.folder / ".mprun").exists()


# -- where the log goes


def test_log_to_a_file(hello: CommandLine) -> None:
    assert hello("hello.yaml", "--log", "mine.jsonl").code == 0
    check_log(hello.folder / "mine.jsonl")
    assert (hello.folder / "mine.jsonl").stat().st_mode & 0o777 == 0o600
    assert not (hello.folder / ".mprun").exists()


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_log_on_standard_output_is_only_the_log(hello: CommandLine, quiet: tuple[str, ...]) -> None:
    ran = hello("hello.yaml", "--log", "-", *quiet)
    check_lines(ran.stdout.encode())
    assert "Hello, World!\n" in ran.stderr
    assert not (hello.folder / ".mprun").exists()


@pytest.mark.parametrize(("option", "variable"), [(("--runs-dir", "kept"), {}), ((), {"MPRUN_RUNS_DIR": "kept"})])
def test_runs_elsewhere(hello: CommandLine, option: tuple[str, ...], variable: dict[str, str]) -> None:
    assert hello("hello.yaml", *option, env=variable).code == 0
    assert len(list(hello.folder.glob("kept/runs/*/events.jsonl"))) == 1
    assert not (hello.folder / ".mprun").exists()


# Each is refused before anything starts: no child's output, exit code 2.
BAD_PLACES = {
    "a log that exists": ("--log hello.yaml", "error: the log hello.yaml can't be created: it exists already"),
    "a log that is a folder": ("--log .", "error: the log . can't be created: it exists already"),
    "a log in a folder that is missing": ("--log no/log", "error: the log no/log can't be created: No such file"),
    "a log behind a link": ("--log link", "error: the log link can't be created: it exists already"),
    "runs in a file": ("--runs-dir hello.yaml", "can't be made: Not a directory"),
    "runs where nothing can be made": ("--runs-dir /proc/mprun", "can't be made: No such file or directory"),
}


@pytest.mark.parametrize("what", BAD_PLACES)
def test_a_log_that_can_not_be_created(hello: CommandLine, what: str) -> None:
    options, expected = BAD_PLACES[what]
    (hello.folder / "link").symlink_to("target-of-the-link")
    ran = hello("hello.yaml", *options.split())
    assert (ran.code, ran.stdout) == (2, "")
    assert expected in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (hello.folder / "target-of-the-link").exists()


# -- streams that are closed, or full


def test_a_reader_who_has_heard_enough_does_not_stop_the_run(hello: CommandLine) -> None:
    hello.write("talk.yaml", "processes: {talk: {target: 'jobs:talk', args: [2000]}}")
    ran = hello.shell("$MPRUN talk.yaml -q | head -1; echo ${PIPESTATUS[0]} >&2")
    assert ran.stdout.startswith("0 xxx")
    assert ran.stderr == "0\n"
    assert sum(event["event"] == "output" for event in hello.log()) == 2000


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full"])
def test_a_stream_that_is_closed_does_not_stop_the_run(hello: CommandLine, closed: str) -> None:
    ran = hello.shell(f"$MPRUN hello.yaml {closed}")
    assert ran.code == 0
    assert outcomes(hello.log(), "greet") == ["returned"]


@pytest.mark.parametrize(
    "words", ["hello.yaml --log -", "validate hello.yaml", "plan hello.yaml", "schema event", "--version"]
)
@pytest.mark.parametrize(("place", "reason"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left")])
def test_an_answer_that_can_not_be_written_is_a_failure(
    hello: CommandLine, words: str, place: str, reason: str
) -> None:
    ran = hello.shell(f"$MPRUN {words} {place}")
    assert ran.code == 1
    assert f"can't be written{' any more' if '--log' in words else ''}: {reason}" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_log_that_grows_too_large_for_its_disk(hello: CommandLine) -> None:
    """The rest of the run goes on; what was written is whole lines but for the last."""
    hello.write(
        "talk.yaml",
        """
        processes:
          talk: {target: jobs:talk, args: [3000]}
          last: {target: jobs:greet, args: [all], needs: talk}
        """,
    )
    ran = hello.shell("ulimit -f 200; $MPRUN talk.yaml --log full.jsonl")  # 200 KiB
    assert ran.code == 1
    assert "Hello, all!" in ran.stdout
    assert ran.stderr.count("error: the log can't be written any more: File too large") == 1
    *whole, _ = (hello.folder / "full.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line)["seq"] for line in whole] == list(range(len(whole)))


# -- looking without running


def test_validate_tells_the_good_and_the_bad(hello: CommandLine) -> None:
    hello.write("bad.yaml", "processes: {a: {target: 'jobs:gret'}}")
    hello.write("worse.yaml", "processes: {a: {target: 'jobs:greet', args: [a], daemn: true}}")
    ran = hello.start("validate", "bad.yaml", "hello.yaml", "worse.yaml")
    assert (ran.code, ran.stdout) == (2, "hello.yaml: ok (1 step)\n")
    assert "bad.yaml:1:" in ran.stderr
    assert "did you mean `greet`?" in ran.stderr
    assert "did you mean `daemon`?" in ran.stderr
    assert ran.stderr.endswith("2 mistakes: nothing was started\n")
    assert not (hello.folder / ".mprun").exists()


def test_validate_without_import_runs_none_of_the_users_code(hello: CommandLine) -> None:
    hello.write("jobs.py", "open('imported', 'w')")
    assert hello("validate", "hello.yaml", "--no-import").code == 0
    assert not (hello.folder / "imported").exists()
    assert hello("validate", "hello.yaml").code == 2
    assert (hello.folder / "imported").exists()


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_limit_for_imports_that_is_none(hello: CommandLine, seconds: str) -> None:
    ran = hello("hello.yaml", env={"MPRUN_IMPORT_TIMEOUT": seconds})
    assert ran.code == 2
    assert ran.stderr == f"error: MPRUN_IMPORT_TIMEOUT is a number of seconds, not `{seconds}`\n"


def test_plan_as_table_json_and_program(hello: CommandLine) -> None:
    table, data, program = (hello("plan", "hello.yaml", *form) for form in ((), ("--json",), ("--python",)))
    assert [ran.code for ran in (table, data, program)] == [0, 0, 0]
    assert 'Process(target=greet, args=("World",))' in table.stdout
    assert json.loads(data.stdout)["steps"][0]["args"] == ["World"]
    hello.write("program.py", program.stdout)
    alone = hello.shell(f"{sys.executable} -I program.py")
    assert (alone.code, alone.stdout) == (0, "Hello, World!\n")


def test_the_plan_beside_the_log_is_the_plan_that_is_shown(hello: CommandLine) -> None:
    shown = hello("plan", "hello.yaml", "--json").stdout
    hello("hello.yaml")
    (kept,) = hello.folder.glob(".mprun/runs/*/plan.json")
    assert kept.read_text() == shown


def test_version(mprun: CommandLine) -> None:
    assert mprun.start("--version").stdout == f"mprun {__version__}\n"


# -- exit codes

WRONG_WORDS = {
    "no words": "",
    "an unknown option": "hello.yaml --nope",
    "two files": "hello.yaml hello.yaml",
    "no file": "run",
    "two forms of a plan": "plan hello.yaml --json --python",
    "an unknown schema": "schema plan",
    "a file that is missing": "missing.yaml",
}


@pytest.mark.parametrize("what", WRONG_WORDS)
def test_a_wrong_command_line(hello: CommandLine, what: str) -> None:
    ran = hello(*WRONG_WORDS[what].split())
    assert ran.code == 2
    assert "Traceback" not in ran.stderr
    assert not (hello.folder / ".mprun").exists()


def test_a_fault_of_mpruns_own_is_told_apart(hello: CommandLine) -> None:
    """Here: a broken installation, of which the user's workflow is not to blame."""
    hello.write("broken/yaml.py", "raise RuntimeError('broken')")
    ran = hello.start("hello.yaml", env={"PYTHONPATH": f"broken:{os.environ.get('PYTHONPATH', '')}"})
    assert ran.code == 3
    assert ran.stderr.endswith("error: this is a fault of mprun's own, not of the workflow; please report it\n")


@pytest.mark.parametrize(
    ("word", "meant"), [("vaildate", "validate"), ("runn", "run"), ("shwo", "show"), ("exprot", "export")]
)
def test_a_misspelt_command(hello: CommandLine, word: str, meant: str) -> None:
    """Neither with a file behind it nor alone does it pass for the file to run."""
    for arguments in ((word, "hello.yaml"), (word,)):
        ran = hello(*arguments)
        assert (ran.code, ran.stderr) == (
            2,
            f"error: there is no command and no file `{word}`: did you mean `mprun {meant}`?\n",
        )


def test_a_file_that_is_called_nearly_as_a_command(hello: CommandLine) -> None:
    hello.write("runs.yaml", (hello.folder / "hello.yaml").read_text())
    (hello.folder / "runn").symlink_to("runs.yaml")
    assert hello("runn").code == 0
    assert hello("flow.yaml").stderr.startswith("error[file-not-found]")


def test_interrupted_inside_a_library(hello: CommandLine) -> None:
    """A library that turns the interrupt into an error of its own, as pydantic does, makes it no fault of mprun's."""
    code = """
        import os, signal
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException:
            raise RuntimeError("turned") from None
    """
    hello.write("turning/yaml.py", code)
    ran = hello.start("hello.yaml", env={"PYTHONPATH": f"turning:{os.environ.get('PYTHONPATH', '')}"})
    assert (ran.code, ran.stderr) == (130, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_interrupted(hello: CommandLine, number: signal.Signals, code: int) -> None:
    """A signal stops the run once the grace period is over; the log is whole all the same."""
    hello.write(
        "wait.yaml",
        """
        grace_period: 0.1
        processes:
          wait: {target: jobs:wait}
          after: {target: jobs:greet, args: [never], needs: wait}
        """,
    )
    with subprocess.Popen(
        [*COMMAND, "wait.yaml"], cwd=hello.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == code
    events = hello.log()
    assert outcomes(events, "wait") == ["cancelled"]
    assert (events[-1]["outcome"], events[-1]["exit_code"]) == ("interrupted", code)
    assert [event["step"] for event in events if event["event"] == "step.skipped"] == ["after"]


@pytest.mark.parametrize("log", [(), ("--log", "-")])
def test_a_reader_who_has_stalled_does_not_keep_a_run_from_its_end(hello: CommandLine, log: tuple[str, ...]) -> None:
    """`mprun … | less`, and nobody scrolls: the run waits for its reader, until Ctrl-C. The log in a file is whole."""
    hello.write(
        "talk.yaml",
        """
        grace_period: 0.1
        pools:
          talk: {target: jobs:talk, map: [800, 800], processes: 1}
          square: {target: jobs:square, map: {range: 2000}, chunksize: 10}
        """,
    )
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*COMMAND, "talk.yaml", *log], cwd=hello.folder, env=environment(), stdout=writer, stderr=writer
    ) as process:
        wait_until_full(writer)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    os.close(reader)
    os.close(writer)
    assert [events[-1]["exit_code"] for events in hello.logs()] == ([] if log else [130])


def wait_until_full(pipe: int) -> None:
    room = select.poll()
    room.register(pipe, select.POLLOUT)
    until = time.monotonic() + 30
    while room.poll(0):
        assert time.monotonic() < until, "it doesn't fill"
        time.sleep(0.01)


# -- modules of the user's whose names others have

NAMES = ["mprun", "random", "runner", "threading", "types", "typer", "worker", "workflow", "yaml"]
MODULE, SCRIPT = (sys.executable, "-m", "mprun"), (sys.executable, "../bin/mprun")
BREAK = "raise AssertionError(f'{__file__} was imported')\n"


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("command", [COMMAND, MODULE, SCRIPT], ids=["safe path", "python -m", "script"])
def test_a_users_modules_shadow_nothing_and_are_shadowed_by_nothing(
    mprun: CommandLine, start_method: str, command: tuple[str, ...]
) -> None:
    """Beside the workflow lie modules that mprun has names of; in the current folder lie broken ones."""
    mprun.write("bin/mprun", "from mprun.__main__ import main\nif __name__ == '__main__':\n    main()\n")
    for name in NAMES if command != MODULE else ("runner", "typer", "worker", "workflow", "yaml"):
        # With -m alone Python itself imports a `types.py` of the current folder, and `mprun` is the one found there.
        mprun.write(f"here/{name}.py", BREAK)
    for name in ("runner", "worker", "workflow"):
        mprun.write(f"flow/{name}.py", f"def name(): print({name!r})\n")
    for name in ("random", "types", "mprun", "yaml", "typer"):
        mprun.write(f"flow/{name}.py", BREAK)
    mprun.write("flow/jobs.py", "import random, types\n\ndef square(number): return number * number\n")
    steps = "".join(f"  {name}: {{target: '{name}:name'}}\n" for name in ("runner", "worker", "workflow"))
    pool = "pools: {squares: {target: 'jobs:square', map: [1, 2, 3], processes: 2}}\n"
    mprun.write("flow/w.yaml", f"start_method: {start_method}\nprocesses:\n{steps}{pool}")
    told = subprocess.run(
        [*command, "../flow/w.yaml"],
        cwd=mprun.folder / "here",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 0, told.stderr
    assert "Traceback" not in told.stderr  # of a process of multiprocessing's own, which is started again
    assert sorted(told.stdout.split()) == ["runner", "worker", "workflow"]
    assert "squares: [1, 4, 9]" in told.stderr
    mprun.logs()


# -- on a terminal


def test_a_terminal_has_a_display_and_a_pipe_has_the_output(hello: CommandLine) -> None:
    """stderr is a terminal, stdout a pipe whose reader leaves: the run goes on to its end."""
    hello.write("talk.yaml", "processes: {talk: {target: 'jobs:talk', args: [2000]}}")
    code, shown = on_terminal(hello, "$MPRUN talk.yaml | head -1 >first; exit ${PIPESTATUS[0]}")
    assert (hello.folder / "first").read_text().startswith("0 xxx")
    assert code == 0, shown
    assert "1/1" in shown
    assert "succeeded in" in shown


@pytest.mark.parametrize(("variable", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour(hello: CommandLine, variable: dict[str, str], coloured: bool) -> None:
    code, shown = on_terminal(hello, "$MPRUN hello.yaml", {"TERM": "xterm", **variable})
    assert code == 0
    assert "Hello, World!" in shown
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", shown)) is coloured


def on_terminal(mprun: CommandLine, script: str, more: dict[str, str] | None = None) -> tuple[int, str]:
    """Run `script` in bash on a new terminal; returns the exit code and everything that was shown."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=mprun.folder,
        env=environment({"MPRUN": " ".join(COMMAND), "TERM": "xterm", "COLUMNS": "100", **(more or {})}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            shown = b"".join(iter(lambda: _read(ours), b""))
        finally:
            os.close(ours)  # which hangs up on it, however the reading ended
    mprun.logs()
    return process.returncode, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what Linux answers when nobody has the other end any more
        return b""


def test_the_installed_command(tmp_path: Path) -> None:
    """`mprun` is the same command as `python -m mprun`."""
    script = Path(sys.executable).with_name("mprun")
    if not script.exists():
        pytest.skip("mprun isn't installed in this environment")
    told = subprocess.run([script, "--version"], env=environment(), capture_output=True, text=True, cwd=tmp_path)
    assert told.stdout == f"mprun {__version__}\n"
