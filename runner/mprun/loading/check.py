"""The stages that check: the models and the rules of each file, then the rules about the steps of all files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from mprun.errors.places import Path
from mprun.format.workflow import Workflow
from mprun.loading.diagnose import model_mistakes
from mprun.loading.join import Joined
from mprun.loading.mistakes import Found, Mistake, locate
from mprun.loading.rules.table import FILE_RULES, STEP_RULES, Rule, its_place
from mprun.loading.source_files import FileOutput, FilesOutput, SourceFile, SourceFiles, a_mapping, each_file
from mprun.loading.stages import Output


def validate(files: SourceFiles) -> FilesOutput:
    """Validate each file against the models: which keys there are, and what each takes."""
    return each_file(files, _validated)


def _validated(file: SourceFile) -> FileOutput:
    if file.data is None:
        mistake = Mistake("no-steps", "the workflow file is empty", (), advice="add `processes:` or `pools:`")
        return file.report(_where_unbroken([mistake], file))
    try:
        return Output(file._replace(workflow=Workflow.model_validate(file.data)))
    except ValidationError as error:
        return file.report(_where_unbroken(model_mistakes(error, file.data), file))


def _where_unbroken(mistakes: Iterable[Mistake], file: SourceFile) -> list[Mistake]:
    return [mistake for mistake in mistakes if its_place(mistake.path, file.broken)]


def check_files(files: SourceFiles) -> FilesOutput:
    """Check the rules about one file by itself."""
    return each_file(files, _checked, needs=a_mapping)


def _checked(file: SourceFile) -> FileOutput:
    return file.report(
        mistake for rule, mistake in _mistakes(FILE_RULES, file) if rule.needs(mistake.path, file.broken)
    )


def check_steps(joined: Joined) -> Output[Joined, Found]:
    """Check the rules about steps, which may concern steps of different files."""
    if not isinstance(joined.data, dict):
        return Output(joined)
    places = joined.places
    found = [
        locate(mistake, places, "")
        for rule, mistake in _mistakes(STEP_RULES, joined.data)
        if rule.needs(mistake.path, joined.owner(mistake.path).broken)
    ]
    faulty: frozenset[Path] = frozenset(each.path for each in found if each.path is not None)
    return Output(joined._replace(faulty=faulty), tuple(found))


def _mistakes(rules: Iterable[Rule], subject: Any) -> Iterator[tuple[Rule, Mistake]]:
    for rule in rules:
        for mistake in rule.check(subject):
            yield rule, mistake
