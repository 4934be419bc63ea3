"""Rules about `retries`: what `on` and `not_on` name, and settings that would have no effect."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mprun.errors.places import Path
from mprun.format.values import RETRIED_OUTCOMES
from mprun.language.targets import is_builtin_exception, parse_target
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, seconds, steps
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.log.words import OUTCOMES

_EXCEPTIONS = tuple(name for name in dir(builtins) if is_builtin_exception(name))
_HOW_TO_WRITE = "a class is written by its name if it is Python's own, else module:Class or path/to/file.py:Class"
_OTHER_WORDS = {
    **dict.fromkeys(("error", "errors", "failed", "failure"), "raised"),
    **dict.fromkeys(("crash", "crashed", "killed", "died", "exited", "oom", "signal"), "lost"),
}


class Named(NamedTuple):
    """One text of `on` or `not_on`."""

    text: str
    path: Path
    key: str

    @property
    def is_outcome(self) -> bool:
        return self.text in OUTCOMES


def named(step: StepData) -> Iterator[Named]:
    """Yield each text in `on` and `not_on` of the step's `retries`."""
    retries = step.entry.get("retries")
    if not isinstance(retries, dict):
        return
    for key in ("on", "not_on"):
        written, path = retries.get(key), (*step.path, "retries", key)
        if isinstance(written, str) and written:
            yield Named(written, path, key)
        for index, text in enumerate(written) if isinstance(written, list) else ():
            if isinstance(text, str) and text:
                yield Named(text, (*path, index), key)


def known_names(data: Data) -> Iterator[Mistake]:
    """`on` names exception classes and outcomes that can be retried; `not_on` names only classes."""
    for step in steps(data):
        for name in named(step):
            if name.is_outcome:
                yield from _outcome(name)
            elif not is_builtin_exception(name.text):
                yield from _class(name)


def _outcome(name: Named) -> Iterator[Mistake]:
    if name.key == "not_on":
        message = f"`not_on` takes exception classes, and `{name.text}` is an outcome"
        yield Mistake("bad-value", message, name.path, advice="leave it out of `on` instead")
    elif name.text not in RETRIED_OUTCOMES:
        message = f"there is no further attempt after `{name.text}`"
        yield Mistake("bad-value", message, name.path, notes=(f"`on` takes the outcomes {_list(RETRIED_OUTCOMES)}",))


def _class(name: Named) -> Iterator[Mistake]:
    if ":" in name.text:
        try:
            parse_target(name.text, "")
        except ValueError:
            message = f"`{short(name.text)}` does not name an exception class"
            yield Mistake("bad-target", message, name.path, notes=(_HOW_TO_WRITE,))
        return
    kind = "neither an outcome nor a builtin exception" if name.key == "on" else "not a builtin exception"
    advice = did_you_mean(_meant(name))
    notes = () if advice else (_HOW_TO_WRITE,)
    yield Mistake("unknown-exception", f"`{short(name.text)}` is {kind}", name.path, advice=advice, notes=notes)


def _meant(name: Named) -> str:
    module, dot, attribute = name.text.rpartition(".")
    if dot and all(part.isidentifier() for part in (*module.split("."), attribute)):
        return f"{module}:{attribute}"
    outcomes = RETRIED_OUTCOMES if name.key == "on" else ()
    word = _OTHER_WORDS.get(name.text.lower(), "")
    return word if word in outcomes else suggest(name.text, (*outcomes, *_EXCEPTIONS))


def one_import(data: Data) -> Iterator[Mistake]:
    """A module is not named as a module and as a file too: it would be imported twice, with unequal exceptions."""
    for step in steps(data):
        target = step.entry.get("target")
        ours, _, _ = target.rpartition(":") if isinstance(target, str) else ("", "", "")
        for name in named(step):
            theirs, _, qualname = name.text.rpartition(":")
            if ours != theirs and (_is_file_of(ours, theirs) or _is_file_of(theirs, ours)):
                right = f"{ours}:{qualname}"
                message = f"`{short(name.text)}` is another class than `{short(right)}`, as each is imported by itself"
                advice = f"write `{short(right)}`, like the `target`"
                yield Mistake("two-imports", message, name.path, advice=advice)


def _is_file_of(file: str, module: str) -> bool:
    dotted = os.path.normpath(file).removesuffix(".py").replace("/", ".")
    return file.endswith(".py") and module != "" and f".{dotted}".endswith(f".{module}")


def no_contradiction(data: Data) -> Iterator[Mistake]:
    """No name makes another one superfluous, or contradicts it."""
    for step in steps(data):
        names = list(named(step))
        wanted = {name.text: name for name in names if name.key == "on"}
        for name in names:
            if name.key == "on" and "raised" in wanted and not name.is_outcome:
                message = f"`raised` stands for every exception, so `{short(name.text)}` adds nothing"
                yield Mistake("no-effect", message, name.path, advice="keep one of the two")
            elif name.key == "not_on" and name.text in wanted and not name.is_outcome:
                message = f"`{short(name.text)}` stands in `on` too"
                yield Mistake("no-effect", message, name.path, advice="keep one of the two")
            elif name.key == "not_on" and wanted and wanted.keys() <= set(OUTCOMES) - {"raised"}:
                message = f"`{short(name.text)}` takes nothing away: no exception is in `on`"
                yield Mistake("no-effect", message, name.path, advice="`raised` in `on` stands for every exception")


def delays(data: Data) -> Iterator[Mistake]:
    """What shapes a delay needs a delay, and its bound is not below it."""
    for step in steps(data):
        retries = step.entry.get("retries")
        if isinstance(retries, dict):
            yield from _delay(retries, (*step.path, "retries"))


def _delay(retries: Data, path: Path) -> Iterator[Mistake]:
    delay, most = seconds(retries.get("delay", 0)), seconds(retries.get("max_delay"))
    if delay == 0:
        for key, sense in _NEEDS_A_DELAY.items():
            if key in retries and sense(retries[key]):
                message = f"`{key}` has no effect without a `delay`"
                yield Mistake("no-effect", message, (*path, key), "key", "add `delay: 1s`, for example")
    elif delay is not None and most is not None and most < delay:
        message = "`max_delay` is shorter than the `delay` it bounds"
        yield Mistake("no-effect", message, (*path, "max_delay"), advice=f"`delay` is {short(retries['delay'])}")
    elif most is not None and retries.get("backoff", "fixed") == "fixed":
        message = "`max_delay` has no effect on a delay that stays as it is"
        yield Mistake("no-effect", message, (*path, "max_delay"), "key", "add `backoff: exponential`")


_NEEDS_A_DELAY: dict[str, Callable[[Any], bool]] = {
    "backoff": lambda value: bool(value == "exponential"),
    "max_delay": lambda value: True,
    "jitter": lambda value: value is True,
}


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


RETRY_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (known_names, one_import, no_contradiction, delays)
