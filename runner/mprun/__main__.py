"""The command's entry. `spawn` and `forkserver` children import this module again, so it imports nothing by itself."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:  # closed: a pipe of ours would take its number, and be taken for a standard stream
            os.open(os.devnull, os.O_RDONLY)  # so that writing to it still fails
    from mprun.cli.main import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    if sys.path and not sys.flags.safe_path:
        del sys.path[0]  # `python -m` puts the current folder first: a user's types.py or yaml.py there is not for us
    main()
