"""JUnit XML, which CI servers show: a test case per result.

A call that raised is a failure, any other bad end an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from mprun.log.codec.event import Event
from mprun.log.export.run_log import RESULTS, RunLog, explanation, label
from mprun.sinks.text import shown


def junit(log: RunLog) -> Iterator[str]:
    """Yield the document in pieces. The log is read twice, because the counts come first."""
    counts: Counter[str] = Counter()
    time = 0.0
    for event in log.events():
        if _is_case(event):
            counts[_element(event)] += 1
        elif event["event"] == "run.finished":
            time = event["duration"]
    suite = {
        "name": str(log.head.get("name", "")),
        "tests": str(counts.total()),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{time:.6f}",
        "timestamp": str(log.head.get("ts", "")),
        "hostname": str(log.head.get("host", "")),
    }
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite{_attributes(suite)}>\n'
    yield from (_case(event) for event in log.events() if _is_case(event))
    yield "</testsuite>\n</testsuites>\n"


def _is_case(event: Event) -> bool:
    return event["event"] in RESULTS or event["event"] == "step.skipped"


def _element(event: Event) -> str:
    """Return the name of the element that describes the end of a case; empty for a case that succeeded."""
    if event["event"] == "step.skipped":
        return "skipped"
    outcomes = {"returned": "", "raised": "failure", "cancelled": "skipped"}
    return outcomes.get(event["outcome"], "error")


def _case(event: Event) -> str:
    case = {"classname": event["step"], "name": label(event), "time": f"{event.get('duration', 0.0):.6f}"}
    element = _element(event)
    if not element:
        return f"<testcase{_attributes(case)}/>\n"
    message = event["reason"] if event["event"] == "step.skipped" else f"{event['outcome']}: {explanation(event)}"
    about = {"message": message, **({"type": event["exception.type"]} if "exception.type" in event else {})}
    trace = "\n".join(map(shown, event.get("exception.stacktrace", "").splitlines()))
    return f"<testcase{_attributes(case)}><{element}{_attributes(about)}>{escape(trace)}</{element}></testcase>\n"


def _attributes(values: dict[str, str]) -> str:
    """Return XML attributes. Characters that XML can't hold, such as control characters, are escaped."""
    return "".join(f" {name}={quoteattr(shown(value))}" for name, value in values.items())
