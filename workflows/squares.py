"""The targets of the first workflows: they square numbers and print them."""

import time


def square(number: int) -> int:
    return number * number


def print_square(number: int, wait: float = 0.0) -> None:
    """Print the square of `number` after `wait` seconds."""
    time.sleep(wait)
    print(f"The square of {number} is {square(number)}.")


def print_number(number: int) -> None:
    print(f"This is process {number}.")


def say(text: str) -> None:
    print(text)
