"""What is found in the workflow files of tests/mistakes and tests/mistakes_targets, against the `.txt` beside each.

Of most of them the `.txt` has a block for each mistake, in order:

    10:20 unknown-step `nobody`
      there is no step `nobody`
      = the other steps are: count, greet, total

The first line is what programs and people go by: the place, the code, and what the carets underline. The others are
words: the message, the advice beside the caret (`^`), the notes below (`=`). A list of all keys of a level is only
`…` here. It stands in full where the whole text is compared, as the command prints it: for those in `WHOLE`.

`pytest --update-mistakes tests/unit/test_mistakes.py tests/engine/test_target_mistakes.py` writes the files anew from
what is found. Read the diff before committing it: after a change of words no first line has changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine

from mprun.errors.diagnostics import printable
from mprun.errors.exceptions import Diagnostic, WorkflowError
from mprun.loading.prepare import prepare

HERE = Path(__file__).parent

# What is compared as the command prints it: each way to draw a place, and the list of the keys of each level, once.
WHOLE = {
    "mistakes": {
        "defaults",  # the keys of `defaults`
        "duplicate-key",  # a note with another place
        "empty-file",  # a file of a comment
        "include",  # places in several files
        "limits-of-the-step",  # the keys of a workflow
        "long-line",  # which is cut on both sides
        "many",  # line numbers of one digit and of two
        "tag-text",
        "unknown-key-no-idea",  # the keys of a process
        "unknown-key-no-idea-pool",  # the keys of a pool
        "wide-text",  # characters that take two columns
        "yaml-tab",
    },
    "mistakes_targets": {
        "module-raises",  # the end of a traceback
        "process-unknown-keyword",  # which the README shows
        "several",
        "type-dataclass-several",
    },
}

_ALL_KEYS = re.compile(r"( takes: )\w+(?:, \w+){7,}$")


def names(folder: str) -> list[str]:
    return sorted(path.stem for path in (HERE / folder).glob("*.yaml"))


def check_found(folder: str, name: str, config: pytest.Config, *, check_targets: bool) -> None:
    """Fails where what is found in `NAME.yaml` isn't what `NAME.txt` has. The current folder is `folder`."""
    if name in WHOLE[folder]:
        options = [] if check_targets else ["--no-import"]
        limit = {"MPRUN_IMPORT_TIMEOUT": os.environ.get("MPRUN_IMPORT_TIMEOUT", "60")}
        ran = CommandLine(Path()).unchecked("validate", *options, f"{name}.yaml", env=limit)
        assert (ran.code, ran.stdout) == (2, "")
        found = ran.stderr
    else:
        with pytest.raises(WorkflowError) as raised:
            prepare(f"{name}.yaml", check_targets=check_targets)
        found = "\n".join(block for each in raised.value.diagnostics for block in _block(each, f"{name}.yaml")) + "\n"
    expected = Path(f"{name}.txt")
    if config.getoption("update_mistakes"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def _block(found: Diagnostic, file: str) -> Iterator[str]:
    yield " ".join(word for word in (_place(found, file), found.code, _underlined(found)) if word)
    yield f"  {printable(found.message)}"
    if found.advice:
        yield f"  ^ {printable(found.advice)}"
    for note in found.notes:
        yield "  = " + _ALL_KEYS.sub(r"\1…", printable(note))


def _place(found: Diagnostic, file: str) -> str:
    """Line and column, after the name of the file where that is another one."""
    if found.place is None:
        return found.source
    return str(found.place).removeprefix(f"{file}:")


def _underlined(found: Diagnostic) -> str:
    if found.place is None:
        return ""
    start = found.place.column - 1
    text = found.place.text[start : start + found.place.length]
    return f"`{printable(text)}`"
