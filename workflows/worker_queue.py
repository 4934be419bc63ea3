"""Work on its way through queues: asked for, done by whoever is free, told at the end."""

import math


def ask(tasks):
    """Put tasks, each the name of a function and a number for it."""
    for number in range(1, 11):
        tasks.put(("factorial", number))
        tasks.put(("isqrt", number**3))


def work(tasks, done):
    """Do the tasks as they come, until there are no more."""
    for name, number in tasks:
        done.put(f"{name}({number}) = {getattr(math, name)(number)}")


def tell(done):
    """Print what was done, in an order that doesn't depend on who was quicker. Returns how much it was."""
    lines = sorted(done)
    print(*lines, sep="\n")
    return len(lines)
