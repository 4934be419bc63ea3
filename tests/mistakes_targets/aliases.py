import os
from functools import partial

import jobs

fetch = jobs.fetch
system = os.system
run = partial(os.system)


class Same:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __call__(self, *args: object) -> None: ...


everything = Same()
