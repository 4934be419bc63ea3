"""What is wrong with the targets of workflows, which a child imports and looks at: see `mistake_tables`."""

from __future__ import annotations

from pathlib import Path

import pytest
from mistake_tables import HERE, check_found, names

FOLDER = "mistakes_targets"
IMPORT_TIMEOUT = "2"  # seconds, for the modules that hang


@pytest.mark.parametrize("name", names(FOLDER))
def test_what_is_found(name: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / FOLDER)
    if b"target: hangs:" in Path(f"{name}.yaml").read_bytes():
        monkeypatch.setenv("MPRUN_IMPORT_TIMEOUT", IMPORT_TIMEOUT)
    check_found(FOLDER, name, pytestconfig, check_targets=True)
