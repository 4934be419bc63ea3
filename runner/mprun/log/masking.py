"""Keeps secrets out of all that is written: as they are, and as JSON or Python's `repr` write them, they become `***`.

Of a secret with several lines, such as a private key, each line is one by itself. What a child makes of a secret
otherwise (reversed, in base64, cut in two) can't be found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mprun.log.codec.lines import fields_of, open_line

MASKED = "***"
MIN_SECRET = 4  # characters: what is shorter stands in too many innocent words to be masked


class Secrets(dict[str, str]):
    """Values of secret parameters by name. What is printed of it are the names."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"


class Mask:
    """Masks the given texts; without any it does nothing, at no cost."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # A longer one first: it may hold a shorter one.
        texts = {text for secret in secrets for part in _parts(secret) for text in _in_texts(part)}
        self._texts = sorted(texts, key=len, reverse=True)
        self._forms = sorted({form for text in texts for form in _in_bytes(text)}, key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._texts)

    @property
    def forms(self) -> tuple[bytes, ...]:
        """What no file may hold."""
        return tuple(self._forms)

    @property
    def longest(self) -> int:
        """Bytes of the longest form: so much of a text can belong to a secret that goes on behind it."""
        return max(map(len, self._forms), default=0)

    def output(self, data: bytes) -> bytes:
        """What a child printed, masked."""
        for form in self._forms:
            data = data.replace(form, MASKED.encode())
        return data

    def text(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, MASKED)
        return text

    def value(self, value: Any) -> Any:
        """`value`, JSON data, with every text in it masked, those that are keys too; numbers that spell a secret are
        masked as a whole."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, bool) or value is None:
            return value
        return MASKED if any(secret in str(value) for secret in self._texts) else value

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an event, masked but for those that can't hold a secret."""
        return {name: value if name in _OWN else self.value(value) for name, value in fields.items()}

    def line(self, line: bytes) -> bytes:
        """A line of the log, without its beginning `{"seq":N,`: masked in its texts and in what is the user's."""
        if not self.holds(line):
            return line
        ending = b"\n" if line.endswith(b"\n") else b""
        return open_line(self.fields(fields_of(line))).removesuffix(b"\n") + ending

    def holds(self, data: bytes) -> bool:
        """Whether a secret stands in `data`."""
        return any(form in data for form in self._forms)


# Fields of mprun's own that are numbers or fixed words: they spell a secret by chance only.
_OWN = frozenset({"ts", "event", "step", "worker", "task", "attempt", "pid", "outcome", "duration", "waited"})


def _parts(secret: str) -> Iterator[str]:
    """What is masked of `secret`: the whole, and each line of it, as output comes in lines."""
    yield secret
    yield from (line for each in secret.splitlines() if len(line := each.strip()) >= MIN_SECRET)


def _in_texts(secret: str) -> Iterator[str]:
    """The literal, and what stands between the quotes of JSON and of Python, where what isn't ASCII may be escaped."""
    yield from (secret, repr(secret)[1:-1], ascii(secret)[1:-1], *_as_json(secret))


def _in_bytes(text: str) -> Iterator[bytes]:
    """`text` as it is printed, and as it stands in a line of JSON."""
    yield text.encode("utf-8", "backslashreplace")
    yield from (escaped.encode() for escaped in _as_json(text))


def _as_json(text: str) -> tuple[str, str]:
    without, with_escapes = (json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))
    return without, with_escapes
