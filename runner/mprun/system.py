"""Facts about this machine that the plan and the log need."""

from __future__ import annotations

import os


def available_cpus() -> int:
    """The CPUs that this process may use: its affinity, bounded by its cgroup's quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, _cgroup_quota() or affinity))


def _cgroup_quota() -> int:
    """The CPUs' worth of time that cgroup v2 allows this process, rounded up; 0 where nothing limits it."""
    try:
        with open("/proc/self/cgroup", encoding="ascii") as cgroups:
            path = next(line.strip().removeprefix("0::") for line in cgroups if line.startswith("0::"))
        with open(f"/sys/fs/cgroup{path}/cpu.max", encoding="ascii") as limit:
            quota, period = limit.read().split()
    except (OSError, StopIteration, ValueError):
        return 0
    return 0 if quota == "max" else -(-int(quota) // int(period))
