"""The entry of the command.

`spawn` and `forkserver` children import this module again, so it imports nothing by itself.
"""

from __future__ import annotations

import atexit
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    ended: list[int] = []
    atexit.register(_leave, ended)  # registered first, so called last
    from mprun.cli.main import run_command_line

    ended.append(run_command_line(sys.argv[1:]))
    sys.exit(ended[0])


def _leave(ended: list[int]) -> None:
    """End the process here. Tearing down all imported modules takes as long as a small run, and helps nobody."""
    if ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended[0])


if __name__ == "__main__":
    if sys.path and not sys.flags.safe_path:
        # `python -m` puts the current folder first; a user's types.py or yaml.py there must not be imported here.
        del sys.path[0]
    main()
