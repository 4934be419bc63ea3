"""Which sinks a run has, by what it writes to: the one table of displays."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mprun.sinks.display import Passthrough, PlainDisplay, live_display

if TYPE_CHECKING:
    from mprun.sinks.sink import Sink


def choose_sinks(*, quiet: bool, log_on_stdout: bool, inline: bool = False) -> list[Sink]:
    """Bars on a terminal, lines elsewhere, children's output alone when quiet.

    `inline`: lines on a terminal, too, as it is the user's code that has it.
    """
    on_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if on_terminal and not (quiet or inline):
        return [live_display(sys.stderr, stdout_is_terminal=log_on_stdout or sys.stdout.isatty())]
    passthrough = Passthrough(stdout_fd=2 if log_on_stdout else 1)
    return [passthrough] if quiet else [passthrough, PlainDisplay(sys.stderr)]
