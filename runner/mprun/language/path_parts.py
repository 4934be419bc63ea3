"""The parts of a text that is a path: `${item.stem}` of `in/a.txt` is `a`."""

from __future__ import annotations

from pathlib import PurePosixPath

PATH_PARTS = ("name", "stem", "suffix", "parent")


def path_part(path: str, part: str) -> str:
    """The part of `path` that `pathlib` gives that name, as text; `part` is one of PATH_PARTS."""
    return str(getattr(PurePosixPath(path), part))
