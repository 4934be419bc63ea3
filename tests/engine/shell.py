"""A shell at a terminal: `shell.py GO PROGRAM…` runs a job in the foreground; stopped, it goes on once GO exists."""

import os
import signal
import subprocess
import sys
import time


def main() -> None:
    go, *program = sys.argv[1:]
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = subprocess.Popen(program, process_group=0)
    os.tcsetpgrp(0, job.pid)
    if os.WIFSTOPPED(os.waitpid(job.pid, os.WUNTRACED)[1]):
        while not os.path.exists(go):
            time.sleep(0.01)
        os.killpg(job.pid, signal.SIGCONT)
        sys.exit(job.wait())


if __name__ == "__main__":
    main()
