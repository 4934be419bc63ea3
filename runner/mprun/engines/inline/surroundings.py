"""Makes this process resemble a child during a call: its variables, folder, search path, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from mprun.language.targets import search_path
from mprun.plan.child_spec import Surroundings


@contextlib.contextmanager
def surrounded(around: Surroundings, unset: Sequence[str]) -> Iterator[None]:
    """Apply `around` inside the block, without the variables `unset`. Ctrl-C is a KeyboardInterrupt of the code inside.

    The loop gets the signal too, afterwards.
    """
    env, folder, path = dict(os.environ), os.getcwd(), list(sys.path)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for name in unset:
            os.environ.pop(name, None)
        os.environ.update(around.env)
        os.chdir(around.working_dir)
        sys.path[:] = search_path(sys.path, around.pythonpath)
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # closed by the user's code
                stream.flush()
        sys.path[:] = path
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
