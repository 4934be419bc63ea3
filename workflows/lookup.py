"""Which numbers are squares, by a table that is built before the first question."""

import time

_table = set()
_hits = None


def build(size, hits):
    global _hits
    time.sleep(0.2)  # as if it took long
    _table.update(number * number for number in range(size))
    _hits = hits


def is_there(number):
    found = number in _table
    if found:
        with _hits.get_lock():
            _hits.value += 1
    return found


def print_hits(hits):
    print(f"{hits.value} of them are squares.")
