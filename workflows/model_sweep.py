"""The targets of model_sweep.yaml: ridge regression on noisy points of a curve, over several bases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Basis = Literal["line", "polynomial", "fourier"]

TRAINED_ON = 0.75  # of the points; the rest scores


@dataclass(frozen=True)
class Score:
    """How well one model did: the mean squared error on points that it was not fitted to."""

    basis: str
    degree: int
    penalty: float
    error: float


_points: list[np.ndarray] = []


def draw_data(samples: int, noise: float, seed: int) -> None:
    """Remember in this worker `samples` points (x, y) of one period of a curve, with normal noise on y."""
    random = np.random.default_rng(seed)
    x = random.uniform(0.0, 1.0, samples)
    y = np.sin(2 * np.pi * x) + 0.5 * np.cos(4 * np.pi * x) + random.normal(0.0, noise, samples)
    _points[:] = [x, y]


def fit_and_score(basis: Basis, degree: int, penalty: float) -> Score:
    """Fit by least squares with an L2 `penalty` (ridge regression) and score on the points held back."""
    x, y = _points
    trained = int(TRAINED_ON * len(x))
    features = expand(x, basis, degree)
    seen, unseen = features[:trained], features[trained:]
    normal = seen.T @ seen + penalty * np.eye(features.shape[1])
    weights = np.linalg.lstsq(normal, seen.T @ y[:trained], rcond=None)[0]
    error = float(np.mean((unseen @ weights - y[trained:]) ** 2))
    return Score(basis, degree, penalty, round(error, 6))


def expand(x: np.ndarray, basis: Basis, degree: int) -> np.ndarray:
    """The features of each point, a row a point: a constant, then what the basis makes of x."""
    if basis == "fourier":
        waves = [f(2 * np.pi * k * x) for k in range(1, degree + 1) for f in (np.sin, np.cos)]
        return np.column_stack([np.ones_like(x), *waves])
    return np.column_stack([x**power for power in range(degree + 1)])


def best(scores: Sequence[Score]) -> Score:
    """The score with the least error; of equals the simplest."""
    found = min(scores, key=lambda score: (score.error, score.degree, score.penalty))
    print(f"The best of {len(scores)} models: {found.basis} of degree {found.degree}, error {found.error}")
    return found
