"""The story of a run as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from mprun.log.reading.story import Cause, StepStory, Story, WorkerStory
from mprun.sinks.event_text import subject
from mprun.sinks.files_text import saved_parts
from mprun.sinks.sharing_text import abandoned_text, things_text
from mprun.sinks.text import counts_text, duration, failure, plural, shown

Event = Mapping[str, Any]


def story_text(story: Story, *, at_work: bool) -> str:
    """Return the whole story. `at_work` says whether a log without an end is still being written."""
    blocks = [
        _head(story, at_work),
        _steps(story),
        _failures(story),
        abandoned_text(story.sharing),
        things_text(story.sharing),
        _slowest(story),
        _workers(story),
    ]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def _head(story: Story, at_work: bool) -> list[str]:
    head = story.head
    commit = head.get("git_commit", "")
    pairs = [
        ("run", head.get("run_id", "")),
        ("workflow", f"{head.get('name', '')} ({head.get('workflow', '')})"),
        ("started", f"{head.get('ts', '')} by {head.get('user', '')} on {head.get('host', '')}"),
        ("command", " ".join(map(str, head.get("command_line", [])))),
        ("with", f"mprun {head.get('mprun', '')}, Python {head.get('python', '')}, {head.get('platform', '')}"),
        ("resumes", head.get("resumes", "")),
        ("commit", f"{commit[:12]}{' with changes' if head.get('git_dirty') else ''}" if commit else ""),
        ("trial", f"its files are in {head['trial']}" if "trial" in head else ""),
        ("outcome", _outcome(story, at_work)),
        *(("stopped", _stop(stop)) for stop in story.stops),
    ]
    return [f"{name:<9} {shown(text)}" for name, text in pairs if text]


def _outcome(story: Story, at_work: bool) -> str:
    if not story.finish:
        return "still at work" if at_work else "incomplete: the run was ended before it could finish its log"
    counts = _counts(story.finish)
    tasks = f"{plural(story.finish['tasks'], 'task')}{f': {counts}' if counts else ''}"
    return f"{story.finish['outcome']} in {duration(story.finish['duration'])}: {tasks}"


def _stop(event: Event) -> str:
    what = event["signal"] if "signal" in event else f"{event['phase']}: {event['why']}"
    return f"{event['ts'][11:23]} {what}"


def _steps(story: Story) -> list[str]:
    names = [shown(name) for name in story.steps]
    width = max(map(len, names), default=0)
    return [f"{name:<{width}}  {_step(step)}" for name, step in zip(names, story.steps.values(), strict=True)]


def _step(step: StepStory) -> str:
    if step.skipped:
        return f"skipped: {shown(step.skipped)}"
    if not step.started:
        return "not begun"
    counts = counts_text(step.outcomes, step.reused)
    parts = [counts] if counts else []
    parts += [f"{count:,} tried again after {outcome.replace('_', ' ')}" for outcome, count in step.retried.items()]
    parts += [f"{step.slow:,} slow"] if step.slow else []
    parts += [f"{plural(step.printed, 'line')} of output"] if step.printed else []
    parts += [f"{plural(count, 'final')} {outcome.replace('_', ' ')}" for outcome, count in step.finals.items()]
    parts += saved_parts(step.saved, step.finished)
    if not step.finished:
        return f"not finished: {', '.join(parts) or 'nothing has ended yet'}"
    error = f": {shown(step.finished['error'])}" if "error" in step.finished else ""
    return (
        f"{step.finished['outcome']} in {duration(step.finished['duration'])}{error}: {', '.join(parts) or 'no task'}"
    )


def _failures(story: Story) -> list[str]:
    lines = [line for cause in story.causes.values() for line in _cause(cause)]
    more = story.other_failures
    return [*lines, f"and {plural(more, 'more failure')} for other reasons"] if more else lines


def _cause(cause: Cause) -> Iterator[str]:
    step = cause.first["step"]
    yield from failure(step, cause.first)
    if cause.count > 1:
        others = ", ".join(f"{step}[{task}]" for task in cause.tasks[1:])
        more = " …" if cause.count > len(cause.tasks) else ""
        yield f"    and {cause.count - 1:,} more like it: {shown(others)}{more}"


def _slowest(story: Story) -> list[str]:
    return ["slowest", *(f"  {subject(event)}: {_slow(event)}" for event in story.slowest)] if story.slowest else []


def _slow(event: Event) -> str:
    worker = f", worker {event['worker']}" if "worker" in event else ""
    return f"{duration(event['duration'])} ({event['outcome'].replace('_', ' ')}{worker})"


def _workers(story: Story) -> list[str]:
    rows = [*story.workers, *story.at_work]
    if not rows:
        return []
    lines = ["workers", *map(_worker, rows)]
    if story.more_workers:
        lines.append(f"  and {story.more_workers:,} more")
    if story.deaths:
        lines.append(f"  {plural(story.deaths, 'worker')} died")
    return lines


def _worker(worker: WorkerStory) -> str:
    started, joined = worker.started, worker.joined
    times = f"busy {duration(worker.busy)}"
    if joined:
        idle = max(0.0, _seconds(started["ts"], joined["ts"]) - worker.busy)
        memory = f", {joined['max_rss'] / 2**20:.0f} MiB at most" if joined.get("max_rss") else ""
        times = f"{times}, idle {duration(idle)}{memory}, {_end(joined)}"
    name = shown(f"{started['step']} {started['worker']}")
    return f"  {name}: {plural(worker.tasks, 'attempt')}, {times} (pid {started['pid']})"


def _end(joined: Event) -> str:
    if joined.get("signal"):
        return f"{joined['reason']} by {joined['signal']}"
    return (
        f"{joined['reason']} with exit code {joined['exitcode']}" if joined.get("exitcode") else str(joined["reason"])
    )


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _counts(event: Event) -> str:
    names: Iterable[str] = ("returned", "raised", "lost", "timed_out", "cancelled", "unpicklable")
    return counts_text({name: event.get(name, 0) for name in names}, event.get("reused_tasks", 0))
