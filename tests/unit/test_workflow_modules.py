"""The targets of the shipped workflows do what their workflows promise."""

import ast
import importlib
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"


@pytest.fixture
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(WORKFLOWS))
    return importlib.import_module(request.param)


census = pytest.mark.parametrize("module", ["stdlib_census"], indirect=True)
checksums = pytest.mark.parametrize("module", ["checksums"], indirect=True)


@census
def test_the_shares_of_the_census_add_up_to_the_whole(module: ModuleType, tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"m{number}.py").write_text("import os\n\nclass C:\n    async def f(self): pass\n" * number)
    paths = module.library_modules(tmp_path)
    shares: Counter[str] = Counter()
    for share in range(3):
        shares.update(module.count_modules(paths[share::3]))
    assert shares == module.count_modules(paths)
    assert shares == {"modules": 7, "lines": 84, "classes": 21, "coroutines": 21, "imports": 21}


@census
def test_each_module_of_the_library_is_in_one_share(module: ModuleType) -> None:
    module.find_modules(5)
    dealt = [path for share in module._shares for path in share]
    assert len(dealt) == len(set(dealt)) > 300
    assert Path(ast.__file__) in dealt


@census
def test_the_census_skips_tests_and_counts_what_is_not_python(module: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "bad.py").write_text("(")
    (tmp_path / "syntax.py").write_text("(")
    (tmp_path / "coding.py").write_bytes(b"# coding: klingon\n")
    (tmp_path / "nul.py").write_bytes(b"x = 1\0\n")
    assert module.count_modules(module.library_modules(tmp_path)) == {"unreadable": 3}


@checksums
def test_changed_and_unlisted_files_are_told(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("same", "other", "new"):
        Path(name).write_text(name)
    digest = module.sha256(Path("same"))
    Path("MANIFEST.sha256").write_text(f"{digest}  same\n{digest} *other\n")
    module.load_manifest("MANIFEST.sha256")
    told = [module.check_file(name) for name in ("same", "other", "new")]
    assert told == ["same: ok", "other: changed", "new: unlisted"]


@checksums
def test_a_missing_file_fails(module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tmp_path / "MANIFEST.sha256"
    manifest.write_text(f"{'0' * 64}  gone\n")
    with pytest.raises(SystemExit, match="1 of 1"):
        module.report_missing(str(manifest))
    assert capsys.readouterr().out == f"{tmp_path / 'gone'}: missing\n"


@checksums
def test_the_committed_tree_and_its_manifest_agree(module: ModuleType) -> None:
    listed = module.read_manifest(WORKFLOWS / "data" / "MANIFEST.sha256")
    assert listed == {path: module.sha256(path) for path in (WORKFLOWS / "data").rglob("*.txt")}


@pytest.mark.parametrize("module", ["monte_carlo"], indirect=True)
def test_the_same_seed_gives_the_same_estimate(module: ModuleType) -> None:
    assert module.estimate_pi(1, 20_000) == module.estimate_pi(1, 20_000) != module.estimate_pi(2, 20_000)
    assert module.estimate_pi(1, 20_000) == pytest.approx(3.14159, abs=0.05)
