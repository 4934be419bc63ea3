"""How a worker decodes items that the parent has cut from a file.

An item is (line, piece): the number of its first line, from 1, and its undecoded content. The parent doesn't decode it,
so a mistake in an item shows here, and fails one task.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from mprun.errors.exceptions import ItemError


class Decoding(Protocol):
    """Plain data that can be pickled. The parent sends it to each worker once."""

    def value(self, item: Any) -> Any:
        """Return the value that `item` stands for, which the call gets. Raises ItemError."""
        ...

    def place(self, item: Any) -> str:
        """Return the place of `item`: the file and the line, which counts from 1."""
        ...


@dataclass(frozen=True, slots=True)
class JsonLines:
    """JSON values from the bytes of lines. `file` is the name of the file in places."""

    file: str

    def value(self, item: tuple[int, bytes]) -> Any:
        try:
            return json.loads(item[1].rstrip())  # from bytes, which may begin with a byte order mark
        except json.JSONDecodeError as error:
            raise ItemError(self.place(item), f"{error.msg} at character {error.pos + 1}") from None
        except UnicodeDecodeError as error:
            raise ItemError(self.place(item), f"byte {error.start + 1} is not UTF-8") from None
        except (ValueError, RecursionError) as error:  # a number with too many digits, or too deep nesting
            raise ItemError(self.place(item), str(error)) from None

    def place(self, item: tuple[int, bytes]) -> str:
        return f"{self.file}:{item[0]}"


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Dicts of the fields of rows. `file` is the name of the file in places; `names` are its columns.

    A text in the place of the fields is the mistake that the reader of the file found in the row.
    """

    file: str
    names: tuple[str, ...]

    def value(self, item: tuple[int, list[str] | str]) -> dict[str, str]:
        fields = item[1]
        if wrong := fields if isinstance(fields, str) else self._wrong_row(fields):
            raise ItemError(self.place(item), wrong)
        return dict(zip(self.names, fields, strict=True))

    def place(self, item: tuple[int, list[str] | str]) -> str:
        return f"{self.file}:{item[0]}"

    def _wrong_row(self, fields: list[str]) -> str:
        if len(fields) != len(self.names):
            have = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
            return f"{have}, and the header names {len(self.names)}"
        return not_utf8(fields)


def not_utf8(fields: list[str]) -> str:
    """Return what is wrong with text that was read with the error handler `surrogateescape`; empty if it is UTF-8."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return "not UTF-8 text"
    return ""
