"""Loads a workflow file: from its text to models, with everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from mprun.errors.exceptions import Diagnostic
from mprun.errors.places import Places
from mprun.format.workflow import Workflow
from mprun.loading.check import check_files, check_steps, validate
from mprun.loading.defaults import inherit_defaults
from mprun.loading.join import join
from mprun.loading.mistakes import Found, diagnostics, in_order
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.params.resolve import parameters
from mprun.loading.read.include import include, read
from mprun.loading.references.substitute import substitute
from mprun.loading.rules.target_names import expand_targets
from mprun.loading.sound import Sound, check_run_wide, select_sound
from mprun.loading.source_files import Request
from mprun.loading.stages import Output, run_stages
from mprun.planning.build.plan import WorkflowFile

STAGES = (
    read,  # Request → SourceFile, the main one: text as data, with the place of each key and value
    parameters,  # SourceFile → SourceFile: the values of its parameters
    include,  # SourceFile → SourceFiles: all files that it includes, read by the same three stages
    substitute,  # SourceFiles → SourceFiles: values instead of references
    expand_targets,  # … targets instead of short names
    inherit_defaults,  # … the keys of `defaults` in the steps
    validate,  # … the model of each file
    check_files,  # … the rules about a file
    join,  # SourceFiles → Joined: the steps of all files together
    check_steps,  # Joined → Joined: the rules about steps
    select_sound,  # Joined → Sound: models of the parts without mistakes
    check_run_wide,  # Sound → Sound: what only the main file may declare
)


class Loaded(NamedTuple):
    """The result of loading a workflow file.

    `file` is the path as given. `diagnostics` are in the order of their places. Without any, `workflow` is what was
    written, with the steps of the included files. With some, `workflow` lacks the entries with mistakes (so a `needs`
    in it may name a step that is missing), and is None if nothing is sound. `files` are the files that it is made of,
    included files first. `secrets` are the values of secret parameters by name.
    """

    file: str
    places: Places
    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[WorkflowFile, ...]
    secrets: Mapping[str, str]


def load(file: str, inputs: ParamInputs = ParamInputs()) -> Loaded:  # noqa: B008 -- frozen
    """Load the workflow `file` with the parameters `inputs`. Mistakes are in the result: this never raises for them."""
    output = run_stages(STAGES, Request(file, inputs, inputs, dict(os.environ)))
    return _loaded(file, output)


def _loaded(file: str, output: Output[Sound | None, Found]) -> Loaded:
    sound, found = output
    if sound is None:
        return Loaded(file, Places(file, ()), None, in_order(diagnostics(found, ()), file), (), {})
    files = sound.joined.files
    return Loaded(
        file,
        sound.joined.places,
        sound.workflow,
        in_order(diagnostics(found, [each.file for each in files]), file),
        sound.files,
        {name: secret for each in files for name, secret in each.params.secrets.items()},
    )
