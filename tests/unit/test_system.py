"""What is read of the system: the kernel's counts of out-of-memory kills, from plain files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mprun.engines.child.oom import OomKills
from mprun.system.machine import oom_files, oom_kills_in

V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
V2 = "low 0\nhigh 9\nmax 8\noom 7\noom_kill 3\noom_group_kill 1\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [(V1, 3), (V2, 3), ("", 0), ("oom_kill\n", 0), ("oom_kill many\n", 0), ("oom_group_kill 4\n", 0), ("\xff", 0)],
)
def test_a_count_is_read_or_is_none(tmp_path: Path, text: str, count: int) -> None:
    path = tmp_path / "events"
    path.write_bytes(text.encode("latin-1"))
    assert oom_kills_in([str(tmp_path / "missing"), str(path)]) == count


def test_no_file_is_no_kill(tmp_path: Path) -> None:
    assert oom_kills_in([]) == oom_kills_in([str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("cgroups", "counted_in"),
    [
        (["0::/user.slice/x.scope"], "user.slice/x.scope/memory.events"),
        (["5:cpu:/", "4:memory:/app", "0::/"], "memory/app/memory.oom_control"),
        (["4:cpu,memory:/app"], "memory/app/memory.oom_control"),
        (["4:memory:/docker/0123"], "memory/memory.oom_control"),
        (["0::/../../a:b"], "memory.events"),
        (["3:memory_recursive:/"], ""),
    ],
)
def test_where_a_cgroup_has_its_count(tmp_path: Path, cgroups: list[str], counted_in: str) -> None:
    """v2, v1 beside it, two controllers at one place, and containers, which have their cgroup at the root."""
    root = tmp_path / "cgroup"
    if counted_in:
        (root / counted_in).parent.mkdir(parents=True)
        (root / counted_in).write_text("oom_kill 5\n")
    assert oom_kills_in(oom_files(cgroups, str(root))) == (5 if counted_in else 0)


def counter(*counts: int) -> OomKills:
    following: Iterator[int] = iter(counts)
    return OomKills(lambda: next(following))


def test_each_kill_explains_one_death() -> None:
    """Of three children killed while the kernel counted two, one was killed by somebody else."""
    kills = counter(2, 2, 2)
    assert [kills.explain_one(0) for _ in range(3)] == [True, True, False]


def test_an_old_kill_explains_no_death() -> None:
    """It was counted before the child started."""
    kills = counter(4, 4, 5)
    assert [kills.explain_one(before) for before in (4, 0, 0)] == [False, False, True]
