"""Keeps secrets out of all that is written: in every text, their literal form and its JSON form become `***`.

What a child makes of a secret otherwise (reversed, in base64, cut in two) can't be found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

MASKED = "***"


class Secrets(dict[str, str]):
    """Values of secret parameters by name. What is printed of it are the names."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"


class Mask:
    """Masks the given texts; without any it does nothing, at no cost."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # A longer one first: it may hold a shorter one.
        self._texts = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._forms = sorted({form for secret in self._texts for form in _forms(secret)}, key=len, reverse=True)

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
        fields = self.fields(json.loads(b"{" + line))
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:].encode() + ending

    def holds(self, data: bytes) -> bool:
        """Whether a secret stands in `data`."""
        return any(form in data for form in self._forms)


# Fields of mprun's own that are numbers or fixed words: they spell a secret by chance only.
_OWN = frozenset({"ts", "event", "step", "worker", "task", "attempt", "pid", "outcome", "duration", "waited"})


def _forms(secret: str) -> tuple[bytes, ...]:
    """The literal, and what JSON writes for it, with and without escapes for what isn't ASCII."""
    escaped = (json.dumps(secret, ensure_ascii=ascii_only)[1:-1].encode() for ascii_only in (False, True))
    return (secret.encode("utf-8", "backslashreplace"), *escaped)
