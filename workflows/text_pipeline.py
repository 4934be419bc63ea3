"""The targets of text_pipeline.yaml: from files to documents, to words, to counts, to a ranking."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_WORD = re.compile(r"[a-z][a-z'’-]*[a-z]")
_COMMON = frozenset(
    re.findall("[a-z]+", "an and are as at be by for from has in is it its of on or that the to was with")
)


@dataclass(frozen=True)
class Document:
    """A text and where it comes from."""

    path: Path
    text: str


def read(path: Path) -> Document:
    return Document(path, path.read_text(encoding="utf-8"))


def words(document: Document) -> list[str]:
    """The words of a document in lower case, without the commonest of English and single letters."""
    return [word for word in _WORD.findall(document.text.lower()) if word not in _COMMON]


def count(found: list[str]) -> Counter[str]:
    return Counter(found)


def rank(counts: Iterable[Counter[str]], top: int) -> dict[str, int]:
    """The `top` words of all documents together; of those that are equally frequent, the first by letters."""
    total: Counter[str] = sum(counts, Counter())
    return dict(sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))[:top])
