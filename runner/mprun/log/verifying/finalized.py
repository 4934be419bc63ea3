"""Checks that a log reports the finalizer of each worker once, between the worker's start and its join."""

from __future__ import annotations

from typing import Any

from mprun.log.codec.event import Event


class FinalizedCheck:
    """The workers so far whose finalizer must still be reported."""

    def __init__(self) -> None:
        self._pools: set[str] = set()  # those with a finalizer
        self._owed: set[tuple[Any, ...]] = set()

    def problem(self, event: Event) -> str:
        """Take the next event. Return what is wrong with it, or an empty text."""
        match event["event"]:
            case "pool.started" if "finalizer" in event:
                self._pools.add(event["step"])
            case "worker.started" if event["step"] in self._pools:
                self._owed.add(_worker(event))
            case "worker.unready":
                self._owed.discard(_worker(event))
            case "worker.finalized" if _worker(event) not in self._owed:
                whose = f"the finalizer of worker {event['worker']} of `{event['step']}`"
                return f"{whose} isn't expected, or was logged before"
            case "worker.finalized":
                self._owed.remove(_worker(event))
            case "worker.joined" if _worker(event) in self._owed:
                return f"worker {event['worker']} of `{event['step']}` is joined, and its `worker.finalized` is missing"
        return ""


def _worker(event: Event) -> tuple[Any, ...]:
    return event["step"], event["worker"], event["pid"]
