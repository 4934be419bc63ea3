"""A row of cells as a line of csv text, which reads as the same cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Python's own writer leaves a lone `\r` as it is before 3.13, and every reader ends the row there. A reader drops a
# byte order mark at the beginning of a file.
_SPECIAL = re.compile('["\r\n\ufeff]')


def csv_line(cells: Sequence[str]) -> str:
    """Return the line with its end. What a reader would take for another thing is in quotes.

    A row of one empty cell isn't an empty line, which is no row.
    """
    line = ",".join(cells)
    if not line and len(cells) == 1:
        return '""\n'
    if line.count(",") < len(cells) and not _SPECIAL.search(line):
        return line + "\n"
    return ",".join(map(_quoted, cells)) + "\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or _SPECIAL.search(cell) else cell
