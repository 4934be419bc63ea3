"""Replaces secrets by `***` in all that mprun writes, in each form that JSON and Python's `repr` give them.

Each line of a secret with several lines, such as a private key, counts as a secret too. A secret that a child
transforms (reverses, encodes in base64, cuts in two) can't be found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mprun.log.codec.lines import fields_of, open_line

MASKED = "***"
MIN_SECRET = 4  # characters: a shorter text occurs in too many innocent words


class Secrets(dict[str, str]):
    """The values of secret parameters by name. Its `repr` shows only the names."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"


class Mask:
    """Masks the given texts. Without any text, it does nothing, at no cost."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Longer texts come first: a longer text may contain a shorter one, and masking the shorter one first would
        # leave the rest of the longer one readable.
        texts = {text for secret in secrets for part in _parts(secret) for text in _in_texts(part)}
        self._texts = sorted(texts, key=len, reverse=True)
        self._forms = sorted({form for text in texts for form in _in_bytes(text)}, key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._texts)

    @property
    def forms(self) -> tuple[bytes, ...]:
        """The bytes that no file may contain, longest first."""
        return tuple(self._forms)

    @property
    def longest(self) -> int:
        """The length of the longest form in bytes: the end of a text that long may be the beginning of a secret."""
        return max(map(len, self._forms), default=0)

    def output(self, data: bytes) -> bytes:
        """Return `data`, which a child printed, with each secret masked."""
        for form in self._forms:
            data = data.replace(form, MASKED.encode())
        return data

    def text(self, text: str) -> str:
        """Return `text` with each secret masked."""
        for secret in self._texts:
            text = text.replace(secret, MASKED)
        return text

    def value(self, value: Any) -> Any:
        """Return the JSON data `value` with every text in it masked, keys included.

        A number whose digits contain a secret is masked as a whole.
        """
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
        """Return the fields of an event, masked except for those that can't hold a secret."""
        return {name: value if name in _OWN else self.value(value) for name, value in fields.items()}

    def line(self, line: bytes) -> bytes:
        """Return an open line of the log, with the user's texts and values masked.

        An open line lacks its beginning `{"seq":N,`.
        """
        if not self.holds(line):
            return line
        ending = b"\n" if line.endswith(b"\n") else b""
        return open_line(self.fields(fields_of(line))).removesuffix(b"\n") + ending

    def holds(self, data: bytes) -> bool:
        """Return whether `data` contains a secret."""
        return any(form in data for form in self._forms)


# mprun's own fields. They hold numbers or fixed words, which contain a secret only by chance; masked, they would break
# every reader.
_OWN = frozenset({"ts", "event", "step", "worker", "task", "attempt", "pid", "outcome", "duration", "waited"})


def _parts(secret: str) -> Iterator[str]:
    """Yield what is masked of `secret`: the whole text and each line of it, because output arrives line by line."""
    yield secret
    yield from (line for each in secret.splitlines() if len(line := each.strip()) >= MIN_SECRET)


def _in_texts(secret: str) -> Iterator[str]:
    """Yield the text itself and its forms between the quotes of JSON and Python, with and without escapes."""
    yield from (secret, repr(secret)[1:-1], ascii(secret)[1:-1], *_as_json(secret))


def _in_bytes(text: str) -> Iterator[bytes]:
    """Yield the bytes of `text` as a program prints them, and as they stand in a line of JSON."""
    yield text.encode("utf-8", "backslashreplace")
    yield from (escaped.encode() for escaped in _as_json(text))


def _as_json(text: str) -> tuple[str, str]:
    without, with_escapes = (json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))
    return without, with_escapes
