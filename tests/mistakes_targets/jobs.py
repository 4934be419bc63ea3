"""Targets, good and bad, of the workflows beside this file."""

import functools


def square(number):
    return number * number


def fetch(url, timeout=3, *, retries):
    return url, timeout, retries


def nothing():
    return None


def anything(*args, **kwargs):
    return args, kwargs


def only_by_position(first, second, /):
    return first, second


def load(words, language="en"):
    return words, language


async def later(number):
    return number


def one_by_one(number):
    yield number


@functools.lru_cache
def remembered(number):
    return number


def _decorated(function):
    def wrapper(*args):
        return function(*args)

    return wrapper


@_decorated
def wrapped(number):
    return number


@functools.wraps(square)
def square_again(*args):
    return square(*args)


def outer():
    def inner():
        return None

    return inner


inner = outer()
double = lambda number: 2 * number  # noqa: E731
LIMIT = 10


class Parser:
    def __init__(self, depth):
        self.depth = depth

    def parse(self, text):
        return text

    @staticmethod
    def split(text):
        return text.split()

    @classmethod
    def default(cls):
        return cls(1)


parser = Parser(1)


def numbers(count):
    yield from range(count)
