"""`mprun verify`: one word for each run, and what is wrong where that word is a bad one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode
from mprun.log.verifying.verify import WORDS, Verdict, Word, verify
from mprun.runs.find import find_run
from mprun.sinks.text import plural, shown

_CODES: dict[Word, ExitCode] = {
    "VERIFIED": ExitCode.SUCCEEDED,
    "TAMPERED": ExitCode.TAMPERED,
    "INCOMPLETE": ExitCode.INCOMPLETE,
    "UNSIGNED": ExitCode.UNSIGNED,
}


def verify_runs(references: Sequence[str], *, runs_dir: str, key: str, as_json: bool) -> ExitCode:
    """Verify the runs that are meant, print what was found, and return the code of the worst. Raises UsageError."""
    check_signature = None
    if key:
        from mprun.log.verifying.signing import checker

        check_signature = checker(key)
    runs = [find_run(reference, runs_dir) for reference in references]
    verdicts = [verify(run, check_signature) for run in runs]
    worst = min((verdict.word for verdict in verdicts), key=WORDS.index)
    if as_json:
        show(json.dumps([verdict.document() for verdict in verdicts], ensure_ascii=False, indent=2) + "\n")
    else:
        show("".join(map(_text, verdicts)))
        show(f"{plural(len(verdicts), 'run')}: {worst}\n" if len(verdicts) > 1 else "")
    return _CODES[worst]


def _text(verdict: Verdict) -> str:
    run = shown(verdict.run)
    lines = [f"{run}: {shown(finding.text())}" for finding in verdict.findings]
    lines += [f"{run}: note: {shown(note)}" for note in verdict.notes]
    return "\n".join([*lines, f"{run}: {_extent(verdict)}: {verdict.word}"]) + "\n"


def _extent(verdict: Verdict) -> str:
    if verdict.word in ("VERIFIED", "UNSIGNED"):
        return f"{plural(verdict.lines, 'line')}, {verdict.bytes:,} bytes, seal {verdict.seal}"
    if not verdict.good_lines:
        return "no line of it is sealed"
    return f"good up to line {verdict.good_lines:,} of {verdict.lines:,} (byte {verdict.good_bytes:,})"
