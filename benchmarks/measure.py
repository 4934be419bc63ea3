"""One contender of one case, once, in this interpreter: `python -m benchmarks.measure CASE CONTENDER SIZE`.

Workers started by `forkserver` import this module again, as they would a user's program: it imports nothing itself.
"""

from __future__ import annotations

import sys


def main() -> None:
    from benchmarks.cases import CASES

    name, contender, size = sys.argv[1:]
    case = next(case for case in CASES if case.name == name)
    figure = case.contenders[contender](int(size))
    sys.stdout.write(f"{figure!r}\n")


if __name__ == "__main__":
    main()
