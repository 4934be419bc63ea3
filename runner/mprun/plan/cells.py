"""Labels of the items of a source, as in `train@cnn-3`. `language/labels.py` makes the label of one item."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mprun.errors.exceptions import ItemError
from mprun.language.labels import JOINT, MAX_LABEL, key_of, label_of, unique
from mprun.language.references import Reference, Template
from mprun.sources.decoding import Decoding
from mprun.sources.table import MatrixSource, PickedSource, SliceSource, Source, whole_of

Keys = str | Reference | Template  # what labels items; empty: their values


def labels(source: Source, keys: Keys = "") -> Iterator[str]:
    """Yield the labels of all items in order. Labels are remembered only if two items could have the same one."""
    if (of_whole := _labels_of_whole(source)) is not None:
        return of_whole
    bare = map(_labeller(source, keys), source.items())
    return bare if not keys and _are_distinct(source) else unique(bare)


def find_cell(source: Source, label: str, keys: Keys = "") -> tuple[int, Any] | None:
    """Return the index and the item of the first item whose label is `label`; None if there is none."""
    index = next((index for index, its_label in enumerate(labels(source, keys)) if its_label == label), None)
    return None if index is None else (index, next(SliceSource(source, index, 1).items()))


class Labels:
    """Labels the items of `source` one after the other, while they are read.

    Without a source (None), because only children know the items, their indexes are the labels. May raise what
    `decoding()` raises.
    """

    def __init__(self, source: Source | None, keys: Keys = "") -> None:
        self._label_of = None if source is None else _labeller(source, keys)
        self._item: Any = None
        of_whole = None if source is None else _labels_of_whole(source)
        self._labels = unique(self._bare()) if of_whole is None else of_whole

    def of_next(self, item: Any) -> str:
        self._item = item
        return next(self._labels)

    def _bare(self) -> Iterator[str]:
        for index in itertools.count():
            yield str(index) if self._label_of is None else self._label_of(self._item)


def _labels_of_whole(source: Source) -> Iterator[str] | None:
    """Return the labels that picked items have among all items; None if `source` picks none."""
    match source:
        case PickedSource():
            return iter(source.labels)
        case SliceSource(whole):
            of_whole = _labels_of_whole(whole)
            return None if of_whole is None else source.cut(of_whole)
    return None


def _labeller(source: Source, keys: Keys) -> Callable[[Any], str]:
    """Return the function that labels items by `keys`. An item in which these lead nowhere is labelled by its value."""
    by_value, decoding = _labeller_by_value(source), source.decoding()
    if not keys:
        return by_value
    return lambda item: _key_of_record(decoding, item, keys) or by_value(item)


def _key_of_record(decoding: Decoding | None, item: Any, keys: Keys) -> str | None:
    try:
        return key_of(item if decoding is None else decoding.value(item), keys)
    except ItemError:  # the item's own task reports it
        return None


def _labeller_by_value(source: Source) -> Callable[[Any], str]:
    whole, decoding = whole_of(source), source.decoding()
    if isinstance(whole, MatrixSource):
        axes = [name for name, _ in whole.axes]
        return lambda cell: _label_of_cell(axes, cell)
    return label_of if decoding is None else lambda item: _label_of_record(decoding, item)


def _label_of_cell(axes: Sequence[str], cell: Mapping[str, Any]) -> str:
    """Return the label of a cell by its axes alone, because what `include` adds distinguishes no cells.

    A cell without all axes is labelled by everything that it has.
    """
    has_all = axes and cell.keys() >= set(axes)
    return label_of({axis: cell[axis] for axis in axes} if has_all else cell)


def _label_of_record(decoding: Decoding, item: Any) -> str:
    try:
        return label_of(decoding.value(item))
    except ItemError:  # the item's own task reports it
        return label_of(decoding.place(item))


def _are_distinct(source: Source) -> bool:
    """Return whether surely no two items have the same label."""
    whole = whole_of(source)
    if isinstance(whole, MatrixSource):
        return not whole.include and _join_distinctly([axis for _, axis in whole.axes])
    return whole.traits.distinct


def _join_distinctly(axes: Sequence[Source]) -> bool:
    """Return whether joined labels can be split again.

    They can if none is cut, and if labels of at most one axis contain the joint.
    """
    texts = [_telling_labels(axis) for axis in axes]
    if any(len(set(of_axis)) < len(of_axis) for of_axis in texts):
        return False
    longest = sum(max(map(len, of_axis), default=0) for of_axis in texts) + len(texts) - 1
    with_joint = sum(any(JOINT in text for text in of_axis) for of_axis in texts)
    return longest <= MAX_LABEL and with_joint <= 1


def _telling_labels(axis: Source) -> list[str]:
    """Return the labels of an axis.

    For a range, its ends will do: one of them is the longest, and one is negative if any is.
    """
    values = axis.sequence() or ()
    return list(map(label_of, {*values[:1], *values[-1:]} if isinstance(values, range) else values))
