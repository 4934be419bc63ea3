"""docs/resuming.md is true: its commands are run, and print what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from conftest import COMMAND, CommandLine

PAGE = (Path(__file__).parents[2] / "docs/resuming.md").read_text(encoding="utf-8")

FLOW = """
    pools:
      numbers: {processes: 2, target: flow_jobs:double, map: [0, 1, 2, 3]}
      halves: {processes: 2, target: flow_jobs:half, map: "${results.numbers}"}
      total: {processes: 1, target: flow_jobs:total, apply: {args: ["${results.halves}"]}}
    """
JOBS = """
    from pathlib import Path


    def double(n):
        return 2 * n


    def half(n):
        tried = Path("tried")
        if n == 4 and not tried.exists():
            tried.touch()
            raise ValueError("not yet")
        return n / 2


    def total(numbers):
        return sum(numbers)
    """


def examples() -> list[tuple[str, str]]:
    """(command, what it prints) of each `$ ` line of a console block."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    parts = [part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    return [(command, printed) for command, _, printed in parts]


def test_the_commands_of_the_page(mprun: CommandLine) -> None:
    mprun.write("flow.yaml", FLOW)
    mprun.write("flow_jobs.py", JOBS)
    for command, printed in examples():
        ran = mprun.shell(f'mprun() {{ {shlex.join(COMMAND)} "$@"; }}; ({command}) 2>&1')
        assert ran.stdout == printed, command
