"""What the workflows of this folder call. The digest of a step holds these bytes: a run made before is never edited."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

counter = Counter()


def greet(name, token):
    print(f"Hello, {name}, here in {os.environ['PLACE']}!")
    print(f"the token is {token}", file=sys.stderr)
    return {"name": name, "sizes": [1, 2.5, float("nan")], "raw": b"\x00\xff", "ratio": complex(1, 2)}


def train(depth, rate):
    return round(depth * rate, 3)


def visit(at):
    logging.getLogger("visit").warning("at %s", at)
    return at * 100


def square(number):
    return number * number


def power(base, exponent):
    return base**exponent


def half(number):
    return number / 2


def block(number):
    import numpy

    return numpy.full(4200, number, dtype="float64")


def size(array):
    return int(array.sum())


def price(item, cents):
    return f"{item}: {int(cents) / 100:.2f}"


def numbers(count):
    yield from range(count)


def unsteady(number):
    tried = Path(f"tried-{number}")
    if number == 2 and not tried.exists():
        tried.touch()
        raise OSError("not at the first time")
    return -number


def begin(left_out):
    counter.clear()
    counter["left out"] = len(left_out)


def count(line):
    counter.update(line.split())
    return len(line.split())


def counted():
    return dict(counter)


def most(finals):
    return sum((Counter(final) for final in finals), Counter())["cat"]


def fill(rows, amount):
    for number in range(amount):
        rows.put(number)


def drain(rows, total, grid, table):
    time.sleep(1.5)  # meanwhile the log tells how many are in the queue
    for number in rows:
        with total.get_lock():
            total.value += table[number]
        grid[number % 4] += 1


def table(factor):
    return [factor * number for number in range(10)]


def report(total, grid):
    return [total.value, grid.tolist()]


def add(values):
    return sum(values)


def add_known(values):
    return sum(value for value in values if isinstance(value, int))


def fail(what="nothing"):
    raise KeyError(what)


def leave(code):
    os._exit(code)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def nap(seconds):
    time.sleep(seconds)
    return seconds


def odd():
    return lambda: None


def odd_items():
    yield 1
    yield lambda: None


def unready():
    raise RuntimeError("no licence")


def ways_to_fail(number):
    match number:
        case 1:
            raise ValueError("no luck with 1")
        case 2:
            os._exit(7)
        case 3:
            time.sleep(60)
        case 4:
            return lambda: None
        case 5:
            time.sleep(0.4)
        case 6 if not Path("tried-6").exists():
            Path("tried-6").touch()
            raise OSError("only at first")
    print("done with", number)
    return number


def take_and_die(lock):
    lock.acquire()
    os._exit(3)


def take(lock):
    with lock:
        pass


def freeze(number):
    """Stop this process, which another one lets go on; then stay for as long as it takes to see that."""
    subprocess.Popen(["sh", "-c", f"sleep 4; kill -CONT {os.getpid()}"])
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(3)
    return number


def freezing(amount):
    for number in range(amount):
        yield freeze(number)


def held(number):
    """Doubles the number: 4 and 6 not before the file `hold-4` or `hold-6` is gone."""
    if number in (4, 6):
        print("waiting at", number)
        while Path(f"hold-{number}").exists():
            time.sleep(0.02)
    return number * 2


def few_fail(number):
    if number == 5:
        raise ValueError("no luck with 5")
    return number * 3
