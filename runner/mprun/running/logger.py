"""structlog, without what it would load for a console.

Wherever rich and better_exceptions are installed, structlog imports them to draw tracebacks: 40 ms that a log of JSON
lines has no use for. They are optional to it, so while it is imported they are as if they were not installed.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

_FOR_A_CONSOLE = ("better_exceptions", "rich", "twisted")


@contextlib.contextmanager
def as_if_not_installed(*names: str) -> Iterator[None]:
    """In here `import NAME` raises ModuleNotFoundError, unless it is loaded already.

    That is what None in `sys.modules` means ("The module cache" in the language reference).
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with as_if_not_installed(*_FOR_A_CONSOLE):
    from structlog import BoundLogger, wrap_logger

__all__ = ["BoundLogger", "wrap_logger"]
