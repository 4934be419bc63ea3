"""What is known when a run begins is put into its plan; the rest stays to come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_builders import plan_of, pool, process

from mprun.language.references import Reference, Template, parse
from mprun.language.targets import parse_target
from mprun.log.masking import Secrets
from mprun.plan.plan import items_of
from mprun.planning.bind import bind, refers_to_folder
from mprun.sources.table import CallSource, SliceSource, whole_of


def test_the_run_and_the_secrets_are_put_in() -> None:
    plan = plan_of(
        process(
            "a", "jobs:a", parse("${run.id}"), [parse("${run.dir}/x"), parse("${results.b}")], t=parse("${params.t}")
        ),
        pool("b", "jobs:b", 3, kwargs={"t": parse("-${params.t}-")}, initargs=(parse("${run.outcome}"),)),
        env={"TOKEN": parse("${params.t}"), "A": "b"},
    )
    plan = replace(plan, secrets=Secrets({"t": "hush"}))
    bound = bind(plan, {"id": "1", "dir": "/runs/1"})
    a, b = bound.steps
    assert (a.args, a.kwargs) == (("1", ["/runs/1/x", Reference("results", ("b",))]), {"t": "hush"})
    assert (b.kwargs, b.initargs) == ({"t": "-hush-"}, (Reference("run", ("outcome",)),))
    assert bound.surroundings.env == {"TOKEN": "hush", "A": "b"}
    assert a.surroundings == b.surroundings == bound.surroundings


@pytest.mark.parametrize("sliced", [False, True])
def test_a_generator_is_given_them_too(sliced: bool) -> None:
    made = CallSource(parse_target("jobs:rows", ""), (parse("${run.dir}/x"),), {"t": parse("${params.t}")})
    step = replace(pool("b", "jobs:b", 3), source=SliceSource(made, 1) if sliced else made)
    plan = replace(plan_of(step), secrets=Secrets({"t": "hush"}))
    (bound,) = bind(plan, {"id": "1", "dir": "/runs/1"}).steps
    source = items_of(bound)
    assert source is not None
    assert whole_of(source) == replace(made, args=("/runs/1/x",), kwargs={"t": "hush"})
    assert refers_to_folder(plan)
    assert not refers_to_folder(plan_of(pool("b", "jobs:b", 3)))


def test_a_plan_without_references_stays_as_it_is() -> None:
    plan = plan_of(process("a", "jobs:a", 1, b=[2]), pool("b", "jobs:b", [1, 2]))
    assert bind(plan, {"id": "1"}) == plan
    assert parse("a${item}") == Template(("a", Reference("item")))
