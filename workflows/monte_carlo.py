"""The target of monte_carlo.yaml: π as the share of random points of a square that fall into its quarter circle."""

import random


def estimate_pi(seed: int, points: int) -> float:
    """The estimate from so many `points`; the same for the same `seed`, whichever worker makes it."""
    draw = random.Random(seed).random
    inside = sum(draw() ** 2 + draw() ** 2 <= 1.0 for _ in range(points))
    return 4 * inside / points
