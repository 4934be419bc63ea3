"""An exception as bounded text without mprun's own frames, whatever the exception's methods do."""

from __future__ import annotations

import importlib
import os
import traceback

from mprun.log.values import bounded_repr, spelled_out, type_name

MAX_MESSAGE = 2_000  # characters of an exception's message
MAX_STACKTRACE = 12_000  # characters of its traceback, innermost frames first to keep

_NOT_THE_USERS = (
    os.path.dirname(os.path.dirname(os.path.dirname(__file__))) + os.sep,
    os.path.dirname(importlib.__file__) + os.sep,
    "<frozen importlib",
)


def exception_fields(error: BaseException) -> dict[str, str]:
    """Return `exception.type`, `exception.message` and `exception.stacktrace` of `error`."""
    return {
        "exception.type": type_name(type(error)),
        "exception.message": _message(error),
        "exception.stacktrace": _stacktrace(error),
    }


def summary(error: BaseException) -> str:
    """Return the exception's type and the first line of its message."""
    lines = _message(error).splitlines()
    return f"{type_name(type(error))}: {lines[0]}" if lines else type_name(type(error))


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 -- __str__ is the user's code
        text = bounded_repr(error)
    return spelled_out(text)[:MAX_MESSAGE]


def _stacktrace(error: BaseException) -> str:
    try:
        formatted = traceback.TracebackException.from_exception(error)
        while formatted.stack and formatted.stack[0].filename.startswith(_NOT_THE_USERS):
            del formatted.stack[0]
        text = "".join(formatted.format() if formatted.stack else formatted.format_exception_only())
    except BaseException:  # noqa: BLE001 -- formatting calls the user's __str__ and __repr__
        text = "".join(traceback.format_tb(error.__traceback__)) + type_name(type(error)) + "\n"
    text = spelled_out(text)
    return text if len(text) <= MAX_STACKTRACE else "…\n" + text[-MAX_STACKTRACE:]
