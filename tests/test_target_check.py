"""What the check of the targets tells the plan: which steps convert their arguments."""

from __future__ import annotations

from pathlib import Path

from mprun.loading.load import load
from mprun.planning.build import build
from mprun.planning.check import TargetCheck

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
  widens: {target: 'jobs:of_float', args: [1]}
  exact: {target: 'jobs:of_float', args: [1.0]}
  reads: {target: 'jobs:of_path', args: [a]}
  wants_help: {target: 'os:getcwd'}
pools:
  numbers: {target: 'jobs:of_int', map: {range: 1000000}}
  lines: {target: 'jobs:of_path', imap: {lines: jobs.py}}
  text: {target: 'jobs:untyped', imap: {lines: jobs.py}}
  sets_up: {target: 'jobs:of_int', map: [1], initializer: 'jobs:set_day', initargs: ["2026-01-31"]}
"""


def test_the_steps_that_convert_are_known(tmp_path: Path) -> None:
    """Those some argument of which is another value for the function than for the workflow; no others."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    loaded = load(str(tmp_path / "w.yaml"))
    assert loaded.workflow is not None
    plan = build(loaded.workflow, loaded.file, loaded.sha256, loaded.places, loaded.params)
    check = TargetCheck(plan, loaded.workflow, loaded.places)
    assert check.diagnostics() == []
    assert check.converting == {"widens", "reads", "lines", "sets_up"}
