"""Runs one pickled plan as a program of its own: `driver.py PLAN LOG`. For tests that signal it or limit it."""

import pickle
import signal
import sys
from pathlib import Path


def main() -> None:
    from mprun.log.writer import open_log
    from mprun.running.run import run_plan

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one that comes when the run has ended finds nothing to stop
    plan = pickle.loads(Path(sys.argv[1]).read_bytes())
    end = run_plan(
        plan, "by-hand", open_log(sys.argv[2]), [], lambda reason: print("log error:", reason, file=sys.stderr)
    )
    sys.exit(end.exit_code)


if __name__ == "__main__":
    main()
