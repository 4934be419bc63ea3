"""Facts about this machine that the plan and the log need."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable


def available_cpus() -> int:
    """The CPUs that this process may use: its affinity, bounded by its cgroup's quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, _cgroup_quota() or affinity))


def memory_size() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def oom_kills() -> int:
    """How many processes of this cgroup the kernel's out-of-memory killer has killed; 0 where unknown.

    The kernel counts before it sends the signal: whoever sees the death sees the count.
    """
    return oom_kills_in(_own_oom_files())


def oom_kills_in(files: Iterable[str]) -> int:
    """The count in the first of `files` that has one; 0 if none has."""
    for file in files:
        try:
            with open(file, encoding="ascii") as events:
                return next(int(line.split()[1]) for line in events if line.startswith("oom_kill "))
        except (OSError, StopIteration, ValueError, IndexError):
            continue
    return 0


def oom_files(cgroups: Iterable[str], root: str = "/sys/fs/cgroup") -> list[str]:
    """Where cgroups v1 and v2 count out-of-memory kills, likeliest first; `cgroups` are lines of /proc/PID/cgroup.

    In a container, these lines may name the cgroup as the host sees it; the container itself has it at the root.
    """
    found = []
    for line in cgroups:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found += [f"{root}{path}/memory.events", f"{root}/memory.events"]
        elif "memory" in controllers.split(","):
            found += [f"{root}/memory{path}/memory.oom_control", f"{root}/memory/memory.oom_control"]
    return found


def resident_memory(pid: int) -> int:
    """Resident memory of process `pid`, in bytes; 0 where unknown."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def is_stopped(pid: int) -> bool:
    """Whether process `pid` is suspended (SIGSTOP); False where unknown."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False


@functools.cache
def _own_oom_files() -> list[str]:
    return oom_files(_cgroups())


def _cgroups() -> list[str]:
    try:
        with open("/proc/self/cgroup", encoding="ascii") as cgroups:
            return [line.strip() for line in cgroups]
    except OSError:
        return []


def _cgroup_quota() -> int:
    """The CPUs that the quota of cgroup v2 allows, rounded up; 0 where nothing limits them."""
    try:
        path = next(line.removeprefix("0::") for line in _cgroups() if line.startswith("0::"))
        with open(f"/sys/fs/cgroup{path}/cpu.max", encoding="ascii") as limit:
            quota, period = limit.read().split()
    except (OSError, StopIteration, ValueError):
        return 0
    return 0 if quota == "max" else -(-int(quota) // int(period))
