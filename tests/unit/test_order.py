"""Steps stand in the first wave by which all they need has run."""

import pytest
from plan_builders import pool, process

from mprun.plan.plan import Step
from mprun.planning.order import waves


def names(steps: list[Step]) -> list[list[str]]:
    return [[step.name for step in wave] for wave in waves(steps)]


def step(name: str, *needs: str) -> Step:
    return process(name, "jobs:run", needs=needs)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([step("b"), step("a")], [["b", "a"]]),
        ([step("last", "first"), step("first")], [["first"], ["last"]]),
        ([step("a"), step("b", "a"), step("c", "a", "b"), step("d", "a")], [["a"], ["b", "d"], ["c"]]),
        ([step("a"), pool("p", "jobs:run", 3, needs=("a",)), step("z")], [["a", "z"], ["p"]]),
    ],
)
def test_waves(steps: list[Step], expected: list[list[str]]) -> None:
    assert names(steps) == expected


@pytest.mark.parametrize("steps", [[step("a", "a")], [step("a", "b"), step("b", "a")], [step("a", "nobody")]])
def test_what_can_never_start_is_refused(steps: list[Step]) -> None:
    with pytest.raises(ValueError, match="wait for each other"):
        waves(steps)
