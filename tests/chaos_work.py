"""What the workers of a chaos run do."""

from __future__ import annotations

import time


def square(number: int) -> int:
    return number * number


def square_slowly(number: int) -> int:
    time.sleep(0.002)
    return number * number
