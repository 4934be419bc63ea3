"""`python -m benchmarks`: every case, or those asked for; a Markdown table on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main() -> None:
    from benchmarks import report
    from benchmarks.cases import CASES
    from benchmarks.rounds import measure

    options = _options([case.name for case in CASES])
    if missing := report.missing_packages():
        sys.exit(f"error: not installed: {', '.join(missing)}; `pip install -e '.[bench]'` installs the peers")
    under = report.conditions(rounds=options.rounds, scale=options.scale)
    results = [
        measure(case, rounds=options.rounds, scale=options.scale, tell=report.tell)
        for case in CASES
        if not options.only or case.name in options.only
    ]
    sys.stdout.write(report.as_markdown(under, results))
    if options.json:
        options.json.write_text(json.dumps(report.as_data(under, results), ensure_ascii=False, indent=2) + "\n")


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender is measured (default: 5)")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one of: {', '.join(names)}")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply all sizes, for a quick try (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
