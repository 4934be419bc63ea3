"""The verdict on a run's log: complete and unchanged, or what is wrong with it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Literal

from mprun.errors.exceptions import UsageError
from mprun.log.reading.lines import blocks
from mprun.log.reading.lock import is_locked
from mprun.log.reading.regular import open_regular
from mprun.log.verifying import parse_beside
from mprun.log.verifying.chain import ChainReport, check_chain
from mprun.log.verifying.complete import CompleteCheck, check_parsed
from mprun.log.verifying.findings import Finding
from mprun.log.verifying.parse import Parsed, parse
from mprun.runs.find import RunFiles
from mprun.runs.index import read_index

Word = Literal["VERIFIED", "TAMPERED", "INCOMPLETE", "UNSIGNED"]

# The worst word comes first.
WORDS: tuple[Word, ...] = ("TAMPERED", "INCOMPLETE", "UNSIGNED", "VERIFIED")

CheckSignature = Callable[[str, str], bool]  # takes (seal, signature)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one run.

    The first `good_lines` lines (`good_bytes` bytes) of the log are as they were sealed. `notes` say what could not be
    checked.
    """

    run: str
    word: Word
    lines: int
    bytes: int
    good_lines: int
    good_bytes: int
    seal: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the verdict as JSON data."""
        document = {field.name: getattr(self, field.name) for field in fields(self)}
        document["verdict"] = document.pop("word")
        return {**document, "findings": [finding.document() for finding in self.findings], "notes": list(self.notes)}


def verify(run: RunFiles, check_signature: CheckSignature | None = None) -> Verdict:
    """Check the log of `run` against its seals, its head and the index, and check that it is complete.

    With `check_signature`, the log must be signed. Raises UsageError if a file can't be read or has a newer format.
    """
    evidence = _read(run)
    findings = [*evidence.chain.findings, *evidence.of_head, *_against_head(evidence.chain, evidence.head)]
    from_index, notes = _against_index(evidence)
    findings += [*from_index, *evidence.complete.findings, *_unfinished(evidence)]
    word = _word(findings)
    if word == "VERIFIED" and check_signature is not None:
        word, of_signature = _signature(evidence, check_signature)
        findings += of_signature
    if not evidence.head and not evidence.of_head:
        notes.append("there is no head beside the log: only the log itself says that its end was not cut off")
    chain = evidence.chain
    good = (chain.good_lines, chain.good_bytes)
    return Verdict(run.name, word, chain.lines, chain.bytes, *good, chain.seal, tuple(findings), tuple(notes))


def _word(findings: Sequence[Finding]) -> Word:
    if any(finding.kind == "tampered" for finding in findings):
        return "TAMPERED"
    return "INCOMPLETE" if findings else "VERIFIED"


@dataclass(frozen=True, slots=True)
class _Evidence:
    run: RunFiles
    head: dict[str, Any]
    of_head: list[Finding]
    chain: ChainReport
    complete: CompleteCheck
    at_work: bool


def _read(run: RunFiles) -> _Evidence:
    """Read the log twice at the same time: a thread hashes it, which releases the GIL, while this thread parses it."""
    head, of_head = _read_head(run.head)
    try:
        with open_regular(run.log) as file, _parsed(run.log) as parts, ThreadPoolExecutor(1) as beside:
            # Before reading: a run that ends in between is then read to its end. Asked afterwards, it would look like a
            # killed run.
            at_work = is_locked(file.fileno())
            chain = beside.submit(check_chain, file, head.get("bytes", -1))
            complete = check_parsed(parts, run.log)
            return _Evidence(run, head, of_head, chain.result(), complete, at_work)
    except OSError as error:
        raise UsageError(f"the log {run.log} can't be read: {error.strerror}") from error


@contextlib.contextmanager
def _parsed(log: str) -> Iterator[Iterable[list[Parsed]]]:
    """Yield the parsed content of the log, block by block. Several processes parse a long log."""
    if os.path.getsize(log) < parse_beside.WORTH_IT:
        with open_regular(log) as file:
            yield map(parse, blocks(file))
    else:
        with parse_beside.ParseBeside(log) as parts:
            yield parts


def _read_head(path: str) -> tuple[dict[str, Any], list[Finding]]:
    """Return the head, empty if there is none, and what is wrong with its form."""
    try:
        with open_regular(path) as file:
            head = json.loads(file.read())
        if not isinstance(head, dict) or not {(key, type(value)) for key, value in head.items()} >= _HEAD:
            raise ValueError
    except FileNotFoundError:
        return {}, []
    except (ValueError, RecursionError):
        return {}, [Finding("tampered", f"the head {os.path.basename(path)} is not as mprun writes it")]
    except OSError as error:
        raise UsageError(f"the head {path} can't be read: {error.strerror}") from error
    return head, []


_HEAD = {("log_format", str), ("bytes", int), ("lines", int), ("seal", str), ("finished", bool)}


def _against_head(chain: ChainReport, head: dict[str, Any]) -> list[Finding]:
    if not head:
        return []
    size = chain.bytes + chain.torn
    # The log may be longer than the head says, as long as the run goes on: the head is replaced after each seal.
    if size < head["bytes"]:
        return [Finding("tampered", f"the log's end is cut off: it had {head['bytes']:,} bytes, and has {size:,}")]
    if head["finished"] and (size, chain.lines) != (head["bytes"], head["lines"]):
        return [Finding("tampered", f"the log was finished with {head['lines']:,} lines, {head['bytes']:,} bytes")]
    if chain.watched != head["seal"] and not chain.findings:
        return [Finding("tampered", f"the head's seal is not the one at byte {head['bytes']:,} of the log")]
    return []


def _against_index(evidence: _Evidence) -> tuple[list[Finding], list[str]]:
    """Return what in the index contradicts the run, and what the index leaves open."""
    run = evidence.run
    if not run.index:
        return [], []
    try:
        index = read_index(run.index)
    except OSError as error:
        raise UsageError(f"the index {run.index} can't be read: {error.strerror}") from error
    findings = [Finding("tampered", f"line {line:,} of the index of runs breaks its chain") for line in index.broken]
    run_id = str(evidence.complete.head.get("run_id", run.name))
    if run_id != run.name:
        findings.append(Finding("tampered", f"the folder is {run.name}, and the log is that of run {run_id}"))
    entries = index.entries.get(run_id, {})
    if "run.started" not in entries:
        return findings, [f"the index of runs doesn't know {run_id}"]
    if "run.finished" in entries and entries["run.finished"].get("seal") != evidence.chain.seal:
        findings.append(Finding("tampered", "the index of runs has another last seal for this run"))
    return findings, []


def _unfinished(evidence: _Evidence) -> list[Finding]:
    """Return findings for a log that ends before its run has ended."""
    chain, found = evidence.chain, []
    if chain.torn:
        line, end = chain.lines + 1, chain.bytes + chain.torn
        found.append(Finding("incomplete", "torn: it is left out", line, line, chain.bytes, end))
    if not evidence.complete.finish:
        why = "the run is still at work" if evidence.at_work else "the run was ended before it could finish its log"
        found.append(Finding("incomplete", f"there is no `run.finished`: {why}"))
    if chain.good_lines < chain.lines and not chain.findings:
        place = (chain.good_lines + 1, chain.lines, chain.good_bytes, chain.bytes)
        found.append(Finding("incomplete", "not sealed", *place))
    return found


def _signature(evidence: _Evidence, check: CheckSignature) -> tuple[Word, list[Finding]]:
    if "signature" not in evidence.head:
        return "UNSIGNED", [Finding("incomplete", "the log is not signed")]
    if not check(evidence.chain.seal, str(evidence.head["signature"])):
        return "TAMPERED", [Finding("tampered", "the signature is not that of this log and this key")]
    return "VERIFIED", []
