"""Random matrices have the cells that their definition says, found by brute force."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from unit.test_sources import axes

from mprun.sources.table import (
    MatrixSource,
)


def equal(a: Any, b: Any) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def brute_force(source: MatrixSource) -> Iterator[Mapping[str, Any]]:
    """The definition, word by word."""
    values = {name: list(axis.items()) for name, axis in source.axes}
    originals = [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
    for entry in source.exclude:
        originals = [
            cell
            for cell in originals
            if not all(
                any(equal(cell[axis], value) for value in (given if isinstance(given, list) else [given]))
                for axis, given in entry.items()
            )
        ]
    cells, more = [dict(cell) for cell in originals], []
    for entry in source.include:
        extends = [all(equal(cell[axis], entry[axis]) for axis in values if axis in entry) for cell in originals]
        for cell, does in zip(cells, extends, strict=True):
            if does:
                cell.update({name: entry[name] for name in entry if name not in values})
        more += [] if any(extends) else [entry]
    return iter([*cells, *more])


VALUES = (0, 1, 2, True, False, 1.0, "0", None)


def random_matrix(chance: random.Random) -> MatrixSource:
    names = "abcd"[: chance.randint(1, 4)]
    given = {name: chance.choice([chance.randint(0, 4), chance.choices(VALUES, k=3)]) for name in names}

    def entry(most: int, extra: str = "") -> dict[str, Any]:
        return {name: chance.choice(VALUES) for name in chance.sample(names + extra, chance.randint(1, most))}

    exclude = [entry(len(names)) for _ in range(chance.randint(0, 4))]
    for excluded in exclude:
        for name in excluded:
            if chance.random() < 0.3:
                excluded[name] = chance.choices(VALUES, k=chance.randint(1, 3))
    include = [entry(len(names) + 2, "xy") for _ in range(chance.randint(0, 4))]
    return MatrixSource(axes(**given), tuple(include), tuple(exclude))


def test_random_matrices_are_what_their_definition_says() -> None:
    for seed in range(2000):
        source = random_matrix(random.Random(seed))
        cells = list(brute_force(source))
        assert list(map(repr, source.items())) == list(map(repr, cells)), (seed, source)
        assert source.count() == len(cells), (seed, source)
        sequence = source.sequence()
        assert (sequence is None) == bool(source.exclude)
        assert sequence is None or list(map(repr, sequence)) == list(map(repr, cells)), (seed, source)
