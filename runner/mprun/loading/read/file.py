"""A workflow file as bytes and as text. Every failure is a `WorkflowError` with a diagnostic."""

from __future__ import annotations

import os
import re
import stat

from mprun.errors.exceptions import Diagnostic, Place, WorkflowError

MAX_BYTES = 1024 * 1024

# Line breaks as YAML defines them, because the marks of its parser count these.
LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
# The characters that YAML forbids. Its specification lists the allowed ones, but that expression takes 5 ms to compile.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def read_bytes(file: str) -> bytes:
    """Return the content of a regular file of at most `MAX_BYTES`. It never reads more than that."""
    try:
        _check_kind_and_size(file, os.stat(file))
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refusal(file, "file-not-found", "there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _refusal(file, "file-not-readable", f"the file can't be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise _too_large(file)
    return data


def decode(data: bytes, file: str) -> str:
    """Return `data` as text: UTF-8 (a byte order mark is dropped) without characters that YAML forbids."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, file, error.start) from None
    found = _UNPRINTABLE.search(text)
    if found:
        raise _control_character(text, file, found.start())
    return text


def split_lines(text: str) -> list[str]:
    return LINE_BREAK.split(text)


def _check_kind_and_size(file: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(file, "not-a-file", "this is a folder, not a workflow file")
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(file, "not-a-file", "this is a pipe or a device, not a workflow file")
    if status.st_size > MAX_BYTES:
        raise _too_large(file)


def _too_large(file: str) -> WorkflowError:
    advice = "a long list of items can stand in a file of its own: `map: {lines: items.txt}`"
    return _refusal(file, "too-large", f"a workflow file has at most {MAX_BYTES:,} bytes", advice)


def _not_utf8(data: bytes, file: str, offset: int) -> WorkflowError:
    line = data.count(b"\n", 0, offset) + 1
    message = f"the file is not UTF-8 text: byte {offset} (line {line}) is 0x{data[offset]:02x}"
    looks_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return _refusal(file, "not-utf8", message, f"{'it looks like UTF-16; ' * looks_utf16}save it as UTF-8")


def _control_character(text: str, file: str, offset: int) -> WorkflowError:
    breaks = list(LINE_BREAK.finditer(text, 0, offset))
    column = offset - (breaks[-1].end() if breaks else 0)
    line_text = split_lines(text)[len(breaks)]
    place = Place(file, len(breaks) + 1, column + 1, 1, line_text)
    message = f"the control character U+{ord(text[offset]):04X} can't stand in a workflow file"
    advice = 'inside double quotes write it as an escape, such as "\\x1b"'
    return WorkflowError((Diagnostic("control-character", message, place, advice),))


def _refusal(file: str, code: str, message: str, advice: str = "") -> WorkflowError:
    notes = (advice,) if advice else ()
    return WorkflowError((Diagnostic(code, message, notes=notes, source=file),))
