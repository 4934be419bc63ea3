"""Each shipped workflow, as it is: it runs, its results are right, its program does the same or is refused by name."""

from __future__ import annotations

import ast
import json
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import CommandLine
from jsonschema import Draft7Validator
from log_checks import Event, results

from mprun.format.schema import workflow_schema
from mprun.loading.read.file import decode, read_bytes
from mprun.loading.read.yaml_data import read_yaml

WORKFLOWS = Path(__file__).parents[2] / "workflows"
NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=../schemas/workflow.schema.json"


@dataclass(frozen=True)
class Did:
    """What a run did: its lines of output in the order seen, each pool's results in the order of its tasks, and the
    folder below which it saved files."""

    printed: list[str]
    results: list[list[Any]]
    folder: Path

    def saved(self, name: str) -> bytes:
        (path,) = self.folder.rglob(name)
        return path.read_bytes()


def squares_of_5(did: Did) -> None:
    assert did.printed == ["The square of 5 is 25."]


def squares_and_a_last_word(did: Did) -> None:
    assert sorted(did.printed[:2]) == ["The square of 10 is 100.", "The square of 5 is 25."]
    assert did.printed[2:] == ["Both squares are printed."]


def four_numbers(did: Did) -> None:
    assert sorted(did.printed) == [f"This is process {number}." for number in (1, 2, 3, 4)]


def five_squares(did: Did) -> None:
    assert did.results == [[1, 4, 9, 16, 25]]


def all_checksums_agree(did: Did) -> None:
    assert did.printed == ["All 5 listed files are there."]
    assert [line.endswith(": ok") for line in did.results[0]] == [True] * 5


def estimates_of_pi(did: Did) -> None:
    """The same on each run, and nearer the more points there are."""
    assert did.results == [[3.2, 3.128, 3.144, 3.14124, 3.143592]]


def a_plausible_library(did: Did) -> None:
    (shares,) = did.results
    assert sorted(share.pop("share") for share in shares) == list(range(16))
    total = {key: sum(share.get(key, 0) for share in shares) for key in ("modules", "lines", "classes", "functions")}
    assert 400 < total["modules"] < total["classes"] < total["functions"] < total["lines"] < 2_000_000


def the_best_of_25_models(did: Did) -> None:
    """The same on each run, as the points are drawn with a seed."""
    assert did.printed == ["The best of 25 models: fourier of degree 4, error 0.046213"]
    assert list(map(len, did.results)) == [25]
    head, *rows = did.saved("scores.csv").decode().splitlines()
    assert (head, len(rows)) == ("basis,degree,penalty,error", 25)
    assert "fourier,4,0.1,0.046213" in rows


def a_ranking_of_words(did: Did) -> None:
    assert list(map(len, did.results)) == [5, 5, 5]
    ranking = json.loads(did.saved("ranking.json"))
    assert list(ranking.items())[:3] == [("each", 3), ("law", 3), ("more", 3)]
    assert len(ranking) == 10


def words_in_five_files(did: Did) -> None:
    assert did.results == [[f"{count} data/{name}.txt" for name, count in WORDS.items()]]
    assert sorted(did.printed[:-1]) == sorted(did.results[0])
    assert did.printed[-1] == "273 words in 5 files"


WORDS = {
    "laws/amdahl": 65,
    "laws/gustafson": 62,
    "laws/little": 59,
    "machines/illiac_iv": 41,
    "machines/transputer": 46,
}


def heat_has_spread(did: Did) -> None:
    assert did.printed == ["@@%##*++=--:::....             "]


def squares_below_500(did: Did) -> None:
    assert did.printed == ["23 of them are squares."]
    assert sum(did.results[0]) == 23


def most_frequent_words(did: Did) -> None:
    assert did.printed[0] == "the 17"
    assert len(did.printed) == 3


def a_picture_of_the_set(did: Did) -> None:
    in_strips = [0, 2, 154, 569, 1646, 2687, 3168, 4275, 4851, 4956, 4332, 3200, 2701, 1755, 562, 182, 2, 0]
    assert did.results == [in_strips]
    png = did.saved("mandelbrot.png")
    assert png[:24] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\xe0\0\0\x01\x68"
    rows = zlib.decompress(png[png.index(b"IDAT") + 4 : -16])
    assert (len(rows), zlib.crc32(rows)) == (360 * 481, 932303495)


def tasks_done(did: Did) -> None:
    factorials = [f"factorial({n}) = {math.factorial(n)}" for n in range(1, 11)]
    assert did.printed == sorted([*factorials, *(f"isqrt({n**3}) = {math.isqrt(n**3)}" for n in range(1, 11))])


def products_of_primes(did: Did) -> None:
    factors = json.loads(did.saved("factors.json"))
    assert did.results == [factors]
    assert list(map(math.prod, factors)) == list(range(199_500, 200_000))
    assert sum(len(primes) == 1 for primes in factors) == 40
    assert factors[0] == [2, 2, 3, 5, 5, 5, 7, 19]


def what_each_call_returns(did: Did) -> None:
    """A program prints a single result without brackets."""
    assert did.results[:-6] == [[13983816]] or did.printed == ["13983816"]
    in_order, arguments, in_chunks, streamed, as_they_come, in_fresh_workers = did.results[-6:]
    assert in_order == [1, 2, 6, 24, 120]
    assert arguments == [6, 1, 25]
    assert in_chunks == [0, 3, 4, 5, 6, 7, 7, 8, 8, 9]
    assert streamed == [0.5, 1.0, 1.5, 2.0]
    assert sorted(as_they_come) == [0.0, 1.0, 2.0, 3.0]
    assert len(set(in_fresh_workers)) == 2


EXPECTED: dict[str, Callable[[Did], None]] = {
    "checksums": all_checksums_agree,
    "factors": products_of_primes,
    "four_processes": four_numbers,
    "heat": heat_has_spread,
    "log_lines": most_frequent_words,
    "lookup": squares_below_500,
    "mandelbrot": a_picture_of_the_set,
    "model_sweep": the_best_of_25_models,
    "monte_carlo": estimates_of_pi,
    "one_process": squares_of_5,
    "pool_calls": what_each_call_returns,
    "pool_map": five_squares,
    "stdlib_census": a_plausible_library,
    "text_pipeline": a_ranking_of_words,
    "two_processes": squares_and_a_last_word,
    "word_counts": words_in_five_files,
    "worker_queue": tasks_done,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_runs(name: str, mprun: CommandLine) -> None:
    ran = mprun.start(str(WORKFLOWS / f"{name}.yaml"))
    assert (ran.code, ran.stderr.splitlines()[-2].split()[0]) == (0, "succeeded")
    events = mprun.log()
    EXPECTED[name](Did(ran.stdout.splitlines(), list(_results(events)), mprun.folder))


REFUSED = {
    "factors": ["the step `factorize` saves its results", "the step `factorize` gives its tasks the shared `table`"],
    "log_lines": ["the shared `lines` is a Queue, for whose end `parse` may wait"],
    "mandelbrot": ["the step `strips` gives its tasks the shared `image`", "the shared `image` of `strips`, `picture`"],
    "model_sweep": [
        "the step `scores` saves its results",
        "the step `scores` calls by `matrix`",
        "the step `best` has",
    ],
    "text_pipeline": ["the step `documents` has arguments that become what", "the step `ranking` saves its results"],
    "word_counts": ["the step `words` runs a `command`"],
    "worker_queue": ["`tasks` is a Queue, for whose end `work`", "`done` is a Queue, for whose end `tell`"],
}
EJECTED = [name for name in NAMES if name not in REFUSED]
SHARING = [name for name in EJECTED if "\nshared:" in (WORKFLOWS / f"{name}.yaml").read_text(encoding="utf-8")]
PROGRAMS = [(name, "forkserver") for name in EJECTED] + [(name, how) for name in SHARING for how in ("fork", "spawn")]


@pytest.mark.parametrize(("name", "start_method"), PROGRAMS)
def test_its_program_does_the_same(name: str, start_method: str, mprun: CommandLine) -> None:
    program = mprun("plan", str(WORKFLOWS / f"{name}.yaml"), "--python").stdout
    mprun.write("program.py", program.replace('get_context("forkserver")', f'get_context("{start_method}")'))
    ran = mprun.shell("${MPRUN%% *} -I program.py")  # the same Python, without mprun's folder on its path
    assert (ran.code, ran.stderr) == (0, "")
    assert "mprun" not in program
    EXPECTED[name](_did(ran.stdout.splitlines(), mprun.folder))


@pytest.mark.parametrize("name", REFUSED)
def test_its_program_is_refused_by_name(name: str, mprun: CommandLine) -> None:
    refused = mprun("plan", str(WORKFLOWS / f"{name}.yaml"), "--python")
    assert (refused.code, refused.stdout) == (2, "")
    assert [told for told in REFUSED[name] if told not in refused.stderr] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_an_editor_takes_for_right(name: str) -> None:
    file = WORKFLOWS / f"{name}.yaml"
    assert file.read_text(encoding="utf-8").splitlines()[0] == MODELINE
    data = read_yaml(decode(read_bytes(str(file)), str(file)), str(file)).data
    Draft7Validator(workflow_schema()).validate(json.loads(json.dumps(data)))


def _results(events: list[Event]) -> Iterator[list[Any]]:
    for step in events[0]["steps"]:
        if step["kind"] == "pool":
            told = sorted(results(events, step["step"]), key=lambda event: event["task"])
            yield [event["result"] for event in told]


def _did(lines: list[str], folder: Path) -> Did:
    """What a program did: it prints the list of a pool's results on a line of its own."""
    lists = [ast.literal_eval(line) for line in lines if line.startswith("[")]
    return Did([line for line in lines if not line.startswith("[")], lists, folder)
