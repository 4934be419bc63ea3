"""The command's entry. `spawn` and `forkserver` children import this module again, so it imports nothing by itself."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from mprun.cli.main import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    if sys.path and not sys.flags.safe_path:
        del sys.path[0]  # `python -m` puts the current folder first: a user's types.py or yaml.py there is not for us
    main()
