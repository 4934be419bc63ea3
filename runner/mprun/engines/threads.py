"""Bounds the threads of numeric libraries in workers, so that the workers of a pool don't compete for cores."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

from mprun.plan.child_spec import Surroundings
from mprun.system.machine import available_cpus

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def with_thread_counts(around: Surroundings, workers: int) -> Surroundings:
    """`around` with each worker's fair share of the CPUs, unless the user has set any of the variables."""
    return dataclasses.replace(around, env={**thread_counts(around.env, workers, available_cpus()), **around.env})


def thread_counts(env: Mapping[str, str], workers: int, cpus: int) -> dict[str, str]:
    if any(name in env or name in os.environ for name in THREAD_VARIABLES):
        return {}
    return dict.fromkeys(THREAD_VARIABLES, str(max(1, cpus // workers)))
