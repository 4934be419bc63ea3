"""`mprun verify`: one word for each run, and what is wrong if the word is not VERIFIED."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mprun.cli.options import RunsDir
from mprun.cli.output import show
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode
from mprun.log.verifying.verify import WORDS, CheckSignature, Verdict, Word, verify
from mprun.runs.find import find_run
from mprun.sinks.text import plural, shown

_CODES: dict[Word, ExitCode] = {
    "VERIFIED": ExitCode.SUCCEEDED,
    "TAMPERED": ExitCode.TAMPERED,
    "INCOMPLETE": ExitCode.INCOMPLETE,
    "UNSIGNED": ExitCode.UNSIGNED,
}


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="The runs: ids or the beginnings of ids, `latest`, or paths of folders or logs.",
            show_default=False,
        ),
    ],
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="The log must be signed; KEY is the file of the public key.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> ExitCode:
    """Say whether the logs of runs are complete and unchanged.

    The last word is VERIFIED (exit code 0), TAMPERED (4), INCOMPLETE (5) or, with `--key`, UNSIGNED (6).
    """
    check_signature = _signature_check(key)
    found = [find_run(reference, runs_dir) for reference in runs]
    verdicts = [verify(run, check_signature) for run in found]
    worst = min((verdict.word for verdict in verdicts), key=WORDS.index)
    if as_json:
        show(json.dumps([verdict.document() for verdict in verdicts], ensure_ascii=False, indent=2) + "\n")
    else:
        show("".join(map(_text, verdicts)))
        show(f"{plural(len(verdicts), 'run')}: {worst}\n" if len(verdicts) > 1 else "")
    return _CODES[worst]


def _signature_check(key: str) -> CheckSignature | None:
    if not key:
        return None
    from mprun.log.verifying.signing import checker

    return checker(key)


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
