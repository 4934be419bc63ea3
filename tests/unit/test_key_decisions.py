"""Whoever runs or writes a plan has decided about each key: it does it, or says by the key's name that it doesn't."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import plan_of, pool, process

from mprun.errors.exceptions import UsageError
from mprun.format.levels import POOL
from mprun.loading.load import load
from mprun.plan.child_spec import Retries
from mprun.plan.features import ESSENTIAL, SPREADING
from mprun.plan.plan import Limits, PoolStep, ProcessStep
from mprun.planning.eject.refusals import refuse_what_is_not_plain
from mprun.planning.inline import ignored_inline
from mprun.planning.show.limits_text import bounds_text, limits_text

STEP_FIELDS = {field.name for kind in (PoolStep, ProcessStep) for field in fields(kind)}

# The fields of a step that neither `--inline` nor `plan --python` knows: the one reports, the other refuses them.
UNKNOWN: set[str] = set()

# And those that only a run that resumes another one acts on.
WITHOUT_EFFECT = {"reuse"}

# And those that `plan --python` refuses, while one process keeps them.
WITHOUT_A_PROGRAM = {"inputs", "outputs"}

# Each limit: whether `--inline` keeps it, and a value of it.
LIMITS: dict[str, tuple[bool, Any]] = {
    "timeout": (False, 1.0),
    "step_timeout": (True, 1.0),
    "slow_after": (False, 1.0),
    "max_memory": (False, 1 << 30),
    "retries": (True, Retries(count=1)),
    "continue_on_error": (True, True),
}

# Each key of a pool: whether the engine `stdlib` does it, and a value of it.
STDLIB: dict[str, tuple[bool, str]] = {
    "timeout": (False, "1m"),
    "step_timeout": (True, "1m"),
    "slow_after": (False, "1m"),
    "retries": (False, "1"),
    "continue_on_error": (True, "true"),
    "max_memory": (False, "1G"),
    "processes": (True, "1"),
    "chunksize": (True, "1"),
    "maxtasksperchild": (True, "1"),
    "engine": (True, "stdlib"),
    "target": (True, "jobs:a"),
    "command": (True, "[ls]"),
    "needs": (True, "[]"),
    "if": (True, "true"),
    "env": (True, "{A: 1}"),
    "working_dir": (True, "."),
    "inputs": (True, "w.yaml"),
    "outputs": (True, "${item}.o"),
    "stdout": (True, "${item}.out"),
    "stderr": (True, "${item}.err"),
    "keys": (True, "a-${item}"),
    "save": (True, "a.json"),
    "reuse": (True, "false"),
    "apply": (True, "{}"),
    "map": (True, "[1]"),
    "starmap": (True, "[[1]]"),
    "imap": (True, "[1]"),
    "imap_unordered": (True, "[1]"),
    "matrix": (True, "{a: [1]}"),
    "zip": (True, "{a: [1]}"),
    "kwargs": (True, "{a: 1}"),
    "initializer": (True, "jobs:begin"),
    "initargs": (True, "[1]"),
    "finalizer": (True, "jobs:end"),
}


def test_each_field_of_a_step_is_known_or_decided_about() -> None:
    assert sorted(STEP_FIELDS ^ (ESSENTIAL | SPREADING | UNKNOWN | WITHOUT_EFFECT | WITHOUT_A_PROGRAM)) == []
    assert {field.name for field in fields(Limits)} == LIMITS.keys()


@pytest.mark.parametrize("name", LIMITS)
def test_what_one_process_does_with_a_limit(name: str) -> None:
    kept, value = LIMITS[name]
    step = replace(process("a", "jobs:a"), limits=Limits(**{name: value}))
    assert ignored_inline(plan_of(step)) == ("" if kept else f"`{name}` of `a`")


def test_each_key_of_a_pool_is_decided_about() -> None:
    assert set(POOL.keys) == STDLIB.keys()


@pytest.mark.parametrize("key", STDLIB)
def test_what_the_engine_stdlib_does_with_a_key(key: str, tmp_path: Path) -> None:
    done, value = STDLIB[key]
    call = {} if key in ("apply", "starmap", "imap", "imap_unordered", "matrix", "zip") else {"map": "[1]"}
    target = {} if key == "command" else {"command": "[ls]"} if key.startswith("std") else {"target": "jobs:a"}
    beside = {"initializer": "jobs:begin"} if key == "initargs" else {}
    written = {**target, **call, **beside, "engine": "stdlib", key: value}
    lines = [f"    {name}: {text}\n" for name, text in written.items()]
    (tmp_path / "w.yaml").write_text("pools:\n  p:\n" + "".join(lines))
    messages = [each.message for each in load(str(tmp_path / "w.yaml")).diagnostics]
    assert [message.rpartition(": ")[2] for message in messages] == ([] if done else [f"it has no `{key}`"])


# A key that nobody knows yet.


@dataclass(frozen=True, slots=True)
class NewPool(PoolStep):
    novel: int = 0


@dataclass(frozen=True, slots=True)
class NewLimits(Limits):
    novel: int = 0


def new_pool(novel: int) -> NewPool:
    plain = pool("p", "jobs:a", 3)
    return NewPool(**{field.name: getattr(plain, field.name) for field in fields(PoolStep)}, novel=novel)


def test_a_new_key_of_a_step_is_named_by_who_does_not_know_it() -> None:
    assert ignored_inline(plan_of(new_pool(0))) == ""
    assert bounds_text(new_pool(0)) == ""
    refuse_what_is_not_plain(plan_of(new_pool(0)))
    assert bounds_text(new_pool(10)) == "novel 10"
    assert ignored_inline(plan_of(new_pool(10))) == "`novel` of `p`"
    with pytest.raises(UsageError, match="the step `p` has `novel`"):
        refuse_what_is_not_plain(plan_of(new_pool(10)))


def test_a_new_limit_is_named_by_who_does_not_know_it() -> None:
    step = replace(pool("p", "jobs:a", 3), limits=NewLimits(novel=10, timeout=5.0))
    assert limits_text(step.limits) == "timeout 5s, novel 10"
    assert ignored_inline(plan_of(step)) == "`timeout`, `novel` of `p`"
