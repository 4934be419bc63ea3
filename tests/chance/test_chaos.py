"""Workers that are killed and stopped at random, and Ctrl-C at any moment: the short form of `benchmarks/chaos.py`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.register_assert_rewrite("chaos")

from chaos import Storm, interrupt, survive  # noqa: E402 -- after the line above


def test_random_kills_lose_nothing(tmp_path: Path) -> None:
    """Each of 3,000 tasks returns once, whoever is killed meanwhile."""
    assert survive(Storm(tasks=3_000, strikes=20, seed=1), tmp_path).kills == 20


def test_timeouts_save_a_run_from_stopped_workers(tmp_path: Path) -> None:
    """The same where half of the workers are stopped in place of killed, which nobody sees but a clock."""
    survived = survive(Storm(tasks=3_000, strikes=20, seed=2, stops=0.5), tmp_path)
    assert survived.stops >= 3


def test_a_worker_stopped_between_two_tasks_is_replaced(tmp_path: Path) -> None:
    """These tasks take no time, so that nearly every stop comes between two: no task's timeout would ever run out."""
    storm = Storm(tasks=300_000, strikes=10, seed=4, stops=1.0, target="square", interval=0.02, time_limit=30)
    assert survive(storm, tmp_path).stops >= 1


def test_ctrl_c_at_any_moment(tmp_path: Path) -> None:
    """Ten times from the first moment on to the middle of the work."""
    chance = random.Random(3)
    for _ in range(10):
        interrupt(tasks=3_000, after=chance.uniform(0, 0.5), folder=tmp_path)
