"""Conditions: what they mean, and what is said of those that can't be read."""

from __future__ import annotations

from typing import Any

import pytest

from mprun.language.expressions import MAX_DEPTH, MAX_LENGTH, ExpressionError, Name, names_in, read_expression, value_of
from mprun.language.references import Reference

VALUES = {
    "duration": 2.5,
    "outcome": "raised",
    "task": 0,
    "exception.type": "KeyError",
    "kept": None,
    "ok": True,
    "my-x": 1,
    "pair": (1, 2),
    "flags": [True],
}


def lookup(name: Name | Reference) -> Any:
    return {"a": [1, 2]} if isinstance(name, Reference) else VALUES[str(name)]


MEANINGS = {
    "duration > 2s": True,
    "duration > 2500ms": False,
    "duration >= 2500ms": True,
    "duration < 1m30s and duration > 0.001h": False,
    "1h30m == 5400": True,
    "2s": 2.0,
    "outcome == 'raised'": True,
    'outcome != "raised"': False,
    "outcome in ['lost', 'raised',]": True,
    "outcome not in ['lost', 'raised']": False,
    "'ais' in outcome": True,
    "'a' in task": False,
    "1 in []": False,
    "not task": True,
    "not not task": False,
    "not task == 0": False,
    "task == 0 or missing == 1": True,
    "task == 1 and missing == 1": False,
    "task == 1 or task == 0 and ok": True,
    "(task == 1 or ok) and task == 0": True,
    "ok == true and kept == null and not false": True,
    "task == false": False,
    "ok == 1": False,
    "1 == 1.0": True,
    "-1 < 1e3": True,
    "kept < 1": False,
    "kept >= 1": False,
    "outcome < 3": False,
    "'a' < 'b'": True,
    "exception.type == 'KeyError'": True,
    "my-x == 1": True,
    r"""'it\'s' == "it's" """: True,
    r"""'a\\' == "a\\" """: True,
    "${results.x} == null": False,
    "1 in [[1], 1]": True,
    "pair == [1, 2]": True,
    "pair != [2, 1]": True,
    "pair in [[1, 2]]": True,
    "flags == [1]": False,
    "flags == [true]": True,
    "1 in flags": False,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_what_it_means(text: str) -> None:
    assert value_of(read_expression(text), lookup) == MEANINGS[text]
    assert type(value_of(read_expression(text), lookup)) is type(MEANINGS[text])


WRONG = {
    "": (1, "a value is missing before the end"),
    "task ==": (8, "a value is missing before the end"),
    "task = 1": (6, "equality is `==`"),
    "task == 1 && ok": (11, "`and` is written as a word"),
    "a || b": (3, "`or` is written as a word"),
    "task == 'x": (9, "this text is never closed"),
    "${results.x": (1, "this `${` is never closed"),
    "${results}": (1, "`${results}` says not which one: such as `${results.name}`"),
    "${1 + 1}": (1, "`${1 + 1}` is not a reference"),
    "(task": (6, "`)` is missing before the end"),
    "[1, 2": (6, "`]` is missing before the end"),
    "task)": (5, "the condition goes on with `)`"),
    "task ok": (6, "the condition goes on with `ok`; `and` or `or` join two"),
    "1 < task < 3": (10, "`<` can't follow a comparison; `and` joins two"),
    "task not 3": (10, "`in` must follow `not` here, and not `3`"),
    "and": (1, "a value is missing before `and`"),
    "task + 1": (6, "`+` has no meaning here"),
    "__import__('os')": (11, "the condition goes on with `(`"),
    "duration > 2d": (12, "this is neither a number nor a duration such as `2s` or `1h30m`"),
    "duration > 2.": (12, "this is neither a number nor a duration"),
    "task == 1" + " " * MAX_LENGTH: (MAX_LENGTH + 1, "a condition has at most 2,000 characters"),
    "(" * (MAX_DEPTH + 1) + "1": (MAX_DEPTH + 2, "this is nested deeper than 32 levels"),
    "not " * 400 + "1": (MAX_DEPTH * 4 + 5, "this is nested deeper than 32 levels"),
    "[" * (MAX_DEPTH + 1): (MAX_DEPTH + 2, "this is nested deeper than 32 levels"),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_what_can_not_be_read(text: str) -> None:
    column, message = WRONG[text]
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert str(caught.value).startswith(message)
    assert caught.value.column == column


def test_names_are_found_wherever_they_stand() -> None:
    names = names_in(read_expression("not a and (b.c in [d, 1] or ${results.x} > 'e')"))
    assert list(map(str, names)) == ["a", "b.c", "d", "${results.x}"]


def test_what_the_lookup_raises_is_passed_on() -> None:
    with pytest.raises(KeyError):
        value_of(read_expression("unknown == 1"), lookup)
