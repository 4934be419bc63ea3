"""What the children of the rows about sharing run, whoever starts them. Imports next to nothing, as `work.py`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

STRIPS = 1_000
INITIALIZATION = 0.5  # seconds

# -- a large array


def strip_sum(array: Any, number: int) -> int:
    """The sum of one of the `STRIPS` strips of an array."""
    length = len(array) // STRIPS
    return int(array[number * length : (number + 1) * length].sum())


def strip_sum_of(number: int, array: Any) -> int:
    """The same, with the argument that differs first."""
    return strip_sum(array, number)


# -- what is made once in each worker

_table: dict[int, int] = {}


def build() -> None:
    _table.update(table())


def table() -> dict[int, int]:
    """A table that takes `INITIALIZATION` to build."""
    time.sleep(INITIALIZATION)
    return {number: number * number for number in range(1_000)}


def look_up(number: int) -> int:
    return _table[number]


def build_state(state: dict[str, Any]) -> None:
    """`build` for mpire's worker state."""
    state["table"] = table()


def look_up_state(state: dict[str, Any], number: int) -> int:
    return state["table"][number]  # type: ignore[no-any-return]


# -- what each worker gathers

_counter: Counter[str] = Counter()


def count(document: str) -> None:
    _counter.update(words_of(document))


def words_of(document: str) -> list[str]:
    with open(document, encoding="utf-8") as file:
        return file.read().split()


def counted() -> Counter[str]:
    return _counter


def begin_state(state: dict[str, Any]) -> None:
    state["counter"] = Counter()


def count_state(state: dict[str, Any], document: str) -> None:
    state["counter"].update(words_of(document))


def counted_state(state: dict[str, Any]) -> Counter[str]:
    return state["counter"]  # type: ignore[no-any-return]


def put_counter(documents: list[str], answer: Any) -> None:
    for document in documents:
        count(document)
    answer.put(_counter)


def merged(counters: Iterable[Counter[str]]) -> list[int]:
    """How many words there are, and how many different ones."""
    total = sum(counters, Counter[str]())
    return [total.total(), len(total)]


# -- messages


def put_all(queue: Any, count: int) -> None:
    for number in range(count):
        queue.put((number, "a short line of text"))


def put_all_and_sentinel(queue: Any, count: int) -> None:
    put_all(queue, count)
    queue.put(None)


def add_up(messages: Iterable[tuple[int, str]]) -> list[int]:
    """How many messages there were, and the sum of their numbers."""
    count = total = 0
    for number, _ in messages:
        count += 1
        total += number
    return [count, total]


def add_up_until_sentinel(queue: Any, answer: Any) -> None:
    answer.put(add_up(iter(queue.get, None)))
