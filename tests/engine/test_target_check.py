"""What the check of the targets tells the plan: which steps convert their arguments."""

from __future__ import annotations

from pathlib import Path

from mprun.loading.prepare import prepare

JOBS = """\
from datetime import date
from pathlib import Path
def of_int(number: int): ...
def of_float(number: float): ...
def of_path(path: Path): ...
def set_day(day: date): ...
def untyped(value): ...
"""

WORKFLOW = """\
processes:
  keeps: {target: 'jobs:of_int', args: [1]}
  shares: {target: 'jobs:untyped', args: [["${shared.day}", "${shared.plain}"]]}
  widens: {target: 'jobs:of_float', args: [1]}
  exact: {target: 'jobs:of_float', args: [1.0]}
  reads: {target: 'jobs:of_path', args: [a]}
  wants_help: {target: 'os:getcwd'}
pools:
  numbers: {target: 'jobs:of_int', map: {range: 1000000}}
  lines: {target: 'jobs:of_path', imap: {lines: jobs.py}}
  text: {target: 'jobs:untyped', imap: {lines: jobs.py}}
  checks: {target: 'jobs:of_int', map: "${results.numbers}"}
  rows: {target: 'jobs:of_path', map: {jsonl: rows.jsonl}}
  sets_up: {target: 'jobs:of_int', map: [1], initializer: 'jobs:set_day', initargs: ["2026-01-31"]}
shared:
  day: {object: {call: 'jobs:set_day', args: ["2026-01-31"]}}
  plain: {object: {call: 'jobs:untyped', args: ["2026-01-31"]}}
"""


def test_the_plan_says_which_steps_convert(tmp_path: Path) -> None:
    """Those some argument of which is another value for the function than for the workflow; no others."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "rows.jsonl").write_text("")
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    plan = prepare(str(tmp_path / "w.yaml"))
    assert {step.name: step.converts for step in plan.steps if step.converts} == {
        "widens": "strict",
        "reads": "strict",
        "lines": "text",
        "sets_up": "strict",
        "checks": "check",
        "rows": "data",
    }
    assert {thing.name: thing.converts for thing in plan.shared} == {"day": "strict", "plain": ""}
