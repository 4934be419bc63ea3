"""workflows/pool_map.yaml as one would write it by hand; run in workflows/ with the start method that mprun takes."""

import multiprocessing
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "workflows"))

from squares import square

if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(4) as pool:
        print(pool.map(square, [1, 2, 3, 4, 5]))
