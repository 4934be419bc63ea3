"""Every rule, in the order in which mistakes are found, and what each needs to be unbroken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from typing import Any, NamedTuple

from mprun.errors.places import Path
from mprun.loading.mistakes import Mistake
from mprun.loading.rules.commands import COMMAND_RULES
from mprun.loading.rules.common import DATA_RULES, Data, same_numbers, some_step
from mprun.loading.rules.fan_out import FAN_OUT_RULES
from mprun.loading.rules.files import file_mistakes
from mprun.loading.rules.inputs import input_files
from mprun.loading.rules.item_files import item_files, saved_files
from mprun.loading.rules.limits import LIMIT_RULES
from mprun.loading.rules.order import ORDER_RULES
from mprun.loading.rules.outputs import written_files
from mprun.loading.rules.retries import RETRY_RULES
from mprun.loading.rules.sharing import SHARING_RULES, shared_files
from mprun.loading.rules.sources import SOURCE_RULES
from mprun.loading.rules.target_names import TARGET_RULES
from mprun.loading.source_files import SourceFile

Needs = Callable[[Path, Set[Path]], bool]


def its_place(path: Path, broken: Set[Path]) -> bool:
    """Return whether the value at `path` is unbroken, so that a mistake there is worth a report."""
    return path not in broken


class Rule(NamedTuple):
    """A rule. `check` yields mistakes; `needs(path, broken)` says whether a mistake at `path` is reported."""

    check: Callable[[Any], Iterator[Mistake]]
    needs: Needs = its_place


def _of_data(check: Callable[[Data], Iterator[Mistake]]) -> Rule:
    return Rule(lambda file: check(file.data))


def _of_folder(check: Callable[[Data, str], Iterator[Mistake]]) -> Rule:
    return Rule(lambda file: check(file.data, file.folder))


def _numbers(file: SourceFile) -> Iterator[Mistake]:
    return same_numbers(file.data, file.places.text, file.referring)


FILE_RULES = (  # each checks a SourceFile
    *map(_of_data, (some_step, *TARGET_RULES)),
    Rule(_numbers),
    *map(_of_folder, (file_mistakes, item_files, saved_files, written_files, input_files, shared_files)),
)

STEP_RULES = tuple(  # each checks the data of all files, joined
    map(
        Rule,
        (
            *DATA_RULES,
            *ORDER_RULES,
            *COMMAND_RULES,
            *SOURCE_RULES,
            *FAN_OUT_RULES,
            *RETRY_RULES,
            *LIMIT_RULES,
            *SHARING_RULES,
        ),
    )
)
