"""From a plan's JSON back to the sources whose items stand in it."""

from __future__ import annotations

from typing import Any

from mprun.sources.table import ListSource, MatrixSource, PickedSource, RangeSource, SliceSource, Source, ZipSource


def written_source(document: dict[str, Any]) -> Source | None:
    """The source that `document` describes; None where its items don't stand there."""
    match document["kind"]:
        case "list":
            return ListSource(tuple(document["values"]))
        case "range":
            return RangeSource(document["start"], document["stop"], document["step"])
        case "matrix":
            return MatrixSource(_axes(document), tuple(document["include"]), tuple(document["exclude"]))
        case "zip":
            return ZipSource(_axes(document))
        case "slice":
            whole = written_source(document["source"])
            return None if whole is None else SliceSource(whole, document["skip"], document["first"])
        case "picked":
            whole = written_source(document["source"])
            return None if whole is None else PickedSource(whole, tuple(document["indexes"]), tuple(document["labels"]))
    return None


def _axes(document: dict[str, Any]) -> tuple[tuple[str, Source], ...]:
    axes = ((name, written_source(axis)) for name, axis in document["axes"])
    return tuple((name, axis) for name, axis in axes if axis is not None)
