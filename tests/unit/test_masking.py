"""Secrets never come out: whatever form of text they stand in, and whatever stands around them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mprun.log.masking import Mask

MASK = Mask(["hush-hush", 'quo"te\\', "hush-hush-longer", "49152", "schlüssel"])


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("hush-hush", "***"),
        ("a hush-hush b hush-hush", "a *** b ***"),
        ("hush-hush-longer", "***"),
        ("hush", "hush"),
        (["hush-hush", 1, None, True], ["***", 1, None, True]),
        ({"hush-hush": {"a": "hush-hush"}}, {"***": {"a": "***"}}),
        (49152, "***"),
        (1491523, "***"),
        (49153, 49153),
        ('a quo"te\\ b', "a *** b"),
        ("ein schlüssel", "ein ***"),
    ],
)
def test_values_and_lines(value: Any, masked: Any) -> None:
    assert MASK.value(value) == masked
    for ascii_only in (False, True):
        line = json.dumps({"ts": "t", "result": value, "duration": 0.491520}, ensure_ascii=ascii_only)[1:].encode()
        told = json.loads(b"{" + MASK.line(line + b"\n"))
        assert told == {"ts": "t", "result": masked, "duration": 0.491520}


def test_a_line_keeps_its_newline_or_its_lack_of_one() -> None:
    assert MASK.line(b'"result":"hush-hush"}\n') == b'"result":"***"}\n'
    assert MASK.line(b'"result":"hush-hush"}') == b'"result":"***"}'


def test_a_line_without_a_secret_is_left_as_it_is() -> None:
    line = b'"result" : "hush"}\n'
    assert MASK.line(line) is line


def test_bytes_that_a_child_printed() -> None:
    assert MASK.output(b"\xff hush-hush \xff") == b"\xff *** \xff"
    assert MASK.longest == len(b"hush-hush-longer")


KEY = "-----BEGIN KEY-----\nab\"c'\\d\u00e9\x1b\n}\n  -----END KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        repr(KEY),
        ascii([KEY]),
        json.dumps({"key": KEY}),
        json.dumps(KEY, ensure_ascii=False),
        f"KeyError: {KEY!r}",
        "\n".join(f"> {line}" for line in KEY.splitlines()),
    ],
)
def test_a_key_of_several_lines_in_whatever_form(text: str) -> None:
    mask = Mask([KEY])
    lines = b"\n".join(mask.output(line) for line in text.encode().split(b"\n"))
    told = json.loads(b"{" + mask.line(json.dumps({"result": text})[1:].encode()))
    for masked in (mask.text(text), lines.decode(), told["result"]):
        assert [part for part in ("BEGIN", "END", 'ab"', 'ab\\"') if part in masked] == []
        assert "***" in masked


def test_lines_that_are_too_short_to_tell_are_left() -> None:
    assert Mask(["{\n  first: 12345\n}"]).text("{a} first: 12345") == "{a} ***"


def test_without_secrets_nothing_changes() -> None:
    nothing = Mask()
    assert not nothing
    assert nothing.line(b'"a":"b"}') == b'"a":"b"}'
    assert nothing.value({"a": 1}) == {"a": 1}
