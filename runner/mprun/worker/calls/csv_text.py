"""A row of cells as a line of csv text, which reads as the same cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Python's own writer leaves a lone `\r` as it is before 3.13, and every reader ends the row there. A byte order mark at
# the beginning of a file is read as none of its text.
_SPECIAL = re.compile('[,"\r\n\ufeff]')


def csv_line(cells: Sequence[str]) -> str:
    """The line with its end; in quotes what a reader would take for another thing.

    A row of one empty cell isn't an empty line, which is no row.
    """
    return ",".join(map(_written, cells)) + "\n" if list(cells) != [""] else '""\n'


def _written(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell
