"""The stages of loading: the loop over them, and that none changes what it is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from mprun.errors.places import Places, Span
from mprun.loading.join import Joined
from mprun.loading.load import STAGES, load
from mprun.loading.mistakes import Mistake
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.rules.table import Rule, its_place
from mprun.loading.source_files import Params, Request, SourceFile, a_mapping, each_file
from mprun.loading.stages import Output, Stage, run_stages

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("workflows", "tests/mistakes") for path in (ROOT / folder).glob("*.yaml"))


# -- the loop


def adds(number: int, *mistakes: str) -> Stage:
    return lambda value: Output(value + number, mistakes)


def gives_up(value: Any) -> Output[None, str]:
    return Output(None, (f"{value} is too much",))


def never_called(value: Any) -> Output[Any, Any]:
    raise AssertionError(value)


def test_each_stage_takes_what_the_last_one_gave() -> None:
    assert run_stages((adds(1), adds(10), lambda value: Output(str(value))), 5) == ("16", ())


def test_the_mistakes_of_all_stages_are_gathered_in_order() -> None:
    assert run_stages((adds(1, "a", "b"), adds(1), adds(1, "c")), 0) == (3, ("a", "b", "c"))


def test_without_a_value_no_later_stage_is_called() -> None:
    assert run_stages((adds(1, "a"), gives_up, never_called), 0) == (None, ("a", "1 is too much"))


def test_a_value_that_is_false_is_a_value() -> None:
    assert run_stages((lambda value: Output(()), lambda value: Output([value])), 1) == ([()], ())


def test_without_stages_the_value_is_what_was_given() -> None:
    assert run_stages((), 7) == (7, ())


# -- changes to each file


def source(data: Any) -> SourceFile:
    places = Places("w.yaml", ["a: 1"])
    places.add_key(("a",), Span(0, 0, 1))
    inputs = ParamInputs()
    return SourceFile(Request("w.yaml", inputs, inputs, {}), "", data, places)


def test_a_mistake_marks_a_new_file() -> None:
    file = source({"a": 1})
    marked, found = file.report([Mistake("code", "message", ("a",), "key")], broken=[("b",)])
    assert (file.faulty, file.broken) == (frozenset(), frozenset())
    assert (marked.faulty, marked.broken) == ({("a",)}, {("b",)})
    assert [(each.file, each.path, str(each.diagnostic.place)) for each in found] == [("w.yaml", ("a",), "w.yaml:1:1")]


def test_a_file_that_lacks_what_a_change_needs_stays_as_it_is() -> None:
    files = (source(None), source({}))
    changed, found = each_file(files, lambda file: Output(file._replace(data="changed")), needs=a_mapping)
    assert (changed[0] is files[0], changed[1].data, found) == (True, "changed", ())


# -- what rules need


def on_a(file: SourceFile) -> Any:
    yield Mistake("code", "message", ("a",))


@pytest.mark.parametrize(
    ("needs", "broken", "reported"),
    [
        (its_place, {("b",)}, 1),
        (its_place, {("a",)}, 0),
        (its_place, {("a", "inside")}, 1),
        (lambda path, broken: not broken, {("b",)}, 0),
    ],
)
def test_a_rule_reports_where_what_it_needs_is_unbroken(
    needs: Any, broken: set[Any], reported: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mprun.loading import check

    monkeypatch.setattr(check, "FILE_RULES", (Rule(on_a, needs),))
    monkeypatch.setattr(check, "STEP_RULES", (Rule(on_a, needs),))
    file = source({"a": 1})._replace(broken=frozenset(broken))
    (_, of_file), (joined, of_steps) = check.check_files((file,)), check.check_steps(Joined((file,), file.data, {}))
    assert (len(of_file), len(of_steps), len(joined.faulty)) == (reported,) * 3


# -- no stage changes its input


def snapshot(value: Any) -> Any:
    """All of `value`, however deep, as data of its own."""
    if isinstance(value, Mapping):
        return [(snapshot(key), snapshot(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [snapshot(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, Places):
        return snapshot(vars(value))
    if isinstance(value, BaseModel):
        return snapshot(vars(value)), sorted(value.model_fields_set)
    return repr(value)


def watched(stage: Stage) -> Callable[[Any], Output[Any, Any]]:
    def run(value: Any) -> Output[Any, Any]:
        before = snapshot(value)
        output = stage(value)
        assert snapshot(value) == before, stage
        return output

    return run


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_stage_leaves_its_input_unchanged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    inputs = ParamInputs(folder=os.getcwd())
    sound, _ = run_stages(map(watched, STAGES), Request(path.name, inputs, inputs, dict(os.environ)))
    assert (sound and sound.workflow) == load(path.name, inputs).workflow


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.data.update(more=1),
        lambda file: file.data["deep"][0].append(1),
        lambda file: file.places.link(("a",), ("b",)),
        lambda file: file.params.values.update(more=1),
    ],
)
def test_a_stage_that_changes_its_input_is_seen(change: Callable[[SourceFile], object]) -> None:
    def changing(file: SourceFile) -> Output[SourceFile, Any]:
        change(file)
        return Output(file)

    file = source({"deep": [[]]})._replace(params=Params(values={}))
    with pytest.raises(AssertionError, match="changing"):
        run_stages((watched(changing),), file)
