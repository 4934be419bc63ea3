"""The long forms of tests/chance/test_chaos.py and of the kills in tests/commands/test_resume.py.

`python -m benchmarks.chaos` from the checkout's root, with extra `test`.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"


def main() -> None:
    sys.path.insert(0, str(TESTS))
    options = _options()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="mprun-chaos-") as folder:
        for name, chaos in CHAOS.items():
            if not options.only or name in options.only:
                print(f"{name}: {chaos(options.seed, options.scale, Path(folder))}", flush=True)


def _kills(seed: int, scale: float, folder: Path) -> str:
    return _storm(seed, scale, folder, stops=0.0)


def _stops(seed: int, scale: float, folder: Path) -> str:
    return _storm(seed, scale, folder, stops=0.3)


def _storm(seed: int, scale: float, folder: Path, *, stops: float) -> str:
    from chaos import Storm, survive

    storm = Storm(tasks=round(20_000 * scale), strikes=round(200 * scale), seed=seed, stops=stops)
    survived = survive(storm, folder)
    assert survived.kills + survived.stops == storm.strikes, f"the run was over after {survived.kills} kills"
    retried = ", ".join(f"{count} {outcome}" for outcome, count in sorted(survived.retried.items())) or "none"
    return (
        f"{storm.tasks:,} tasks, each returned once; {survived.kills} SIGKILL, {survived.stops} SIGSTOP; "
        f"retried: {retried}; {survived.workers} workers started; {survived.duration:.1f} s"
    )


def _ctrl_c(seed: int, scale: float, folder: Path) -> str:
    from chaos import interrupt

    chance = random.Random(seed)
    times = max(1, round(100 * scale))
    began = time.monotonic()
    phases = Counter(interrupt(10_000, chance.uniform(0, 1.5), folder) for _ in range(times))
    ended = ", ".join(f"{count} {phase}" for phase, count in sorted(phases.items()))
    took = time.monotonic() - began
    return f"{times} × Ctrl-C, exit code 130 and a whole log each time; ended while {ended}; {took:.1f} s"


def _killed(seed: int, scale: float, folder: Path) -> str:
    from killed import TASKS, survive_kills

    chance = random.Random(seed)
    times = max(1, round(100 * scale))
    began = time.monotonic()
    reused = 0
    for number in range(times):
        (folder / str(number)).mkdir()
        reused += survive_kills(folder / str(number), chance, kills=1)
        shutil.rmtree(folder / str(number))
    took = time.monotonic() - began
    calls = 2 * TASKS + 1
    return (
        f"{times} × kill -9, then resumed: {calls:,} results, each once; {reused // times:,} taken over; {took:.1f} s"
    )


CHAOS = {"kills": _kills, "stops": _stops, "ctrl-c": _ctrl_c, "killed": _killed}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHAOS, help="this one alone")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply all sizes, for a quick try (default: 1)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="repeat a run's choices")
    return parser.parse_args()


if __name__ == "__main__":
    main()
