"""The stages that make models of the sound parts, so that their targets can be checked whatever else is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError

from mprun.errors.places import Path
from mprun.format.levels import STEP_GROUPS
from mprun.format.workflow import Workflow
from mprun.loading.join import Joined
from mprun.loading.mistakes import Found, Mistake, locate
from mprun.loading.rules.target_names import allowed_targets
from mprun.loading.source_files import SourceFile
from mprun.loading.stages import Output
from mprun.planning.build.plan import WorkflowFile

# Keys that an included file can't have by itself.
RUN_WIDE = ("start_method", "engine", "max_parallel", "fail_fast", "timeout", "log", "grace_period", "shared")


class Sound(NamedTuple):
    """The sound part of each file, in the order of the files; None for a file without one."""

    joined: Joined
    parts: tuple[Workflow | None, ...]

    @property
    def workflow(self) -> Workflow | None:
        """The workflow of the main file with the steps of all files."""
        main = self.parts[-1]
        if main is None:
            return None
        parts = [part for part in self.parts if part is not None]
        steps = {group: {k: v for part in parts for k, v in getattr(part, group).items()} for group in STEP_GROUPS}
        return main.model_copy(update=steps)

    @property
    def files(self) -> tuple[WorkflowFile, ...]:
        """The files that have a sound part."""
        pairs = zip(self.joined.files, self.parts, strict=True)
        return tuple(self._workflow_file(file, part) for file, part in pairs if part is not None)

    def _workflow_file(self, file: SourceFile, part: Workflow) -> WorkflowFile:
        by_name = {each.file: each for each in self.joined.files}
        lists = [allowed_targets(by_name[name].data, by_name[name].folder) for name in file.trail]
        allowed = tuple(targets for targets in lists if targets is not None)
        return WorkflowFile(file.file, file.sha256, part, file.places, file.params.values, allowed)


def select_sound(joined: Joined) -> Output[Sound, Found]:
    """Return each file without the steps and top-level keys with mistakes, and without the steps of other files."""
    return Output(Sound(joined, tuple(_sound_part(number, joined) for number in range(len(joined.files)))))


def _sound_part(number: int, joined: Joined) -> Workflow | None:
    file = joined.files[number]
    faulty = file.faulty | file.broken | {path for path in joined.faulty if joined.owner(path) is file}
    if not isinstance(file.data, dict) or () in faulty:
        return None
    if not faulty and file.workflow is not None:  # then each step is its own, as a name that is taken is a mistake
        return file.workflow
    try:
        return Workflow.model_validate(_without(faulty, file.data))
    except ValidationError:
        return None


def _without(faulty: frozenset[Path], data: dict[Any, Any]) -> dict[Any, Any]:
    tops = {path[0] for path in faulty if not _in_a_step(path, data)}
    steps = {path[:2] for path in faulty if _in_a_step(path, data)}
    sound = {key: value for key, value in data.items() if key not in tops}
    for group in sound.keys() & STEP_GROUPS.keys():
        sound[group] = {name: entry for name, entry in sound[group].items() if (group, name) not in steps}
    return sound


def _in_a_step(path: Path, data: dict[Any, Any]) -> bool:
    return len(path) > 1 and path[0] in STEP_GROUPS and isinstance(data.get(path[0]), dict)


def check_run_wide(sound: Sound) -> Output[Sound, Found]:
    """Check what included files declare for the whole run, which needs the models of both."""
    *included, main = zip(sound.joined.files, sound.parts, strict=True)
    mistakes = [
        locate(mistake, file.places, file.file)
        for file, part in included
        if part is not None and main[1] is not None
        for mistake in _run_wide(part, main[0].file, main[1])
    ]
    return Output(sound, tuple(mistakes))


def _run_wide(part: Workflow, main: str, of_run: Workflow) -> Iterator[Mistake]:
    for key in RUN_WIDE:
        if key in part.model_fields_set and getattr(part, key) != getattr(of_run, key):
            message = f"`{key}` is for the whole run, and stands in the file that is run"
            advice = f"{main} {'says otherwise' if key in of_run.model_fields_set else 'has none'}"
            yield Mistake("no-effect", message, (key,), "key", advice)
