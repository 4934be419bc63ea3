import os
import sys
import time


def greet(name):
    print(f"Hello, {name}!")
    print("so quiet here", file=sys.stderr)
    return {"name": name, "at": None, "sizes": [1, 2.5, float("nan")]}


def square(number):
    if number == 3:
        raise ValueError(f"no luck with {number}")
    if number == 5:
        os._exit(7)
    return number * number


def nap(seconds):
    time.sleep(seconds)


def fail():
    raise KeyError("nothing")
