"""What is known when a run begins is put into its plan; the rest stays to come."""

from __future__ import annotations

from dataclasses import replace

from plan_builders import plan_of, pool, process

from mprun.masking import Secrets
from mprun.planning.bind import bind
from mprun.references import Reference, Template, parse


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


def test_a_plan_without_references_stays_as_it_is() -> None:
    plan = plan_of(process("a", "jobs:a", 1, b=[2]), pool("b", "jobs:b", [1, 2]))
    assert bind(plan, {"id": "1"}) == plan
    assert parse("a${item}") == Template(("a", Reference("item")))
