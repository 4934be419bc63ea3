"""Suggestions for misspelt keys: similar spellings, and the names in other tools, which the models have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

from mprun.format.levels import Level
from mprun.loading.mistakes import is_number

_MAX_COMPARED = 500  # a comparison is slow, and a file can hold thousands of mistakes


@lru_cache(maxsize=100_000)
def suggest_key(word: Any, level: Level, *, is_a_number: bool = False) -> str:
    """Return the key of `level` that `word` probably means, or an empty text. `is_a_number`: its value is a number."""
    words = level.also_with_a_number if is_a_number else level.also
    lowered = str(word).lower()
    return words.get(lowered) or words.get(lowered.replace("-", "_")) or suggest(str(word), level.keys)


def suggest(word: str, names: Iterable[str]) -> str:
    """Return the one of `names` whose spelling is most similar to `word`, or an empty text."""
    by_lower = {name.lower(): name for name in islice(names, _MAX_COMPARED)}
    close = get_close_matches(word[:200].lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[close[0]] if close else ""


def did_you_mean(suggestion: str) -> str:
    return f"did you mean `{suggestion}`?" if suggestion else ""


def meant(data: Mapping[Any, Any], level: Level) -> set[str]:
    """Return the keys of `level` that stand in `data`, also in another spelling."""
    return {
        key if key in level.keys else suggest_key(key, level, is_a_number=is_number(value))
        for key, value in data.items()
    } - {""}
