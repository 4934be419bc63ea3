"""What a target's code is: which edits count, which modules it imports, and what each of them counts by."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest

from mprun.code.cache import CodeCache
from mprun.code.closure import ABSENT, Closure, Closures
from mprun.code.source import Import, read_source
from mprun.language.targets import parse_target

FUNCTION = """
    import os

    def half(n, by=2):
        return n / by
    """

# What stands in the place of FUNCTION, and whether it is the same code.
EDITS = {
    "a comment": (FUNCTION + "    # halves\n", True),
    "a comment within": (FUNCTION.replace("by=2):", "by=2):  # of it"), True),
    "blank lines": (FUNCTION.replace("\n", "\n\n"), True),
    "the layout": (FUNCTION.replace("(n, by=2)", "(\n        n,\n        by = 2,\n    )"), True),
    "a docstring": (FUNCTION.replace("return", '"""The half of n."""\n        return'), True),
    "the module's docstring": (f'    """Halves."""\n{FUNCTION}', True),
    "`pass`": (FUNCTION.replace("return", "pass\n        return"), True),
    "a text that is no docstring": (FUNCTION.replace("return", 'n = "x"\n        return'), False),
    "a docstring that is read": (
        FUNCTION.replace("return", '"""A"""\n        print(half.__doc__)\n        return'),
        False,
    ),
    "an operator": (FUNCTION.replace("/", "//"), False),
    "a default": (FUNCTION.replace("by=2", "by=3"), False),
    "the type of a constant": (FUNCTION.replace("by=2", "by=2.0"), False),
    "an annotation": (FUNCTION.replace("by=2", "by: int = 2"), False),
    "a name": (FUNCTION.replace("half", "part"), False),
    "an import": (FUNCTION.replace("import os", "import sys"), False),
    "a decorator": (FUNCTION.replace("    def", "    @cache\n    def"), False),
}


def digest(text: str) -> str:
    return read_source(textwrap.dedent(text).encode()).digest


@pytest.mark.parametrize("what", EDITS)
def test_parsed_code_counts(what: str) -> None:
    text, same = EDITS[what]
    assert (digest(text) == digest(FUNCTION)) is same


DIFFERENT = [
    ("x = 1", "x = True"),
    ("x = 0.0", "x = -0.0"),
    ("x = 'a'", "x = b'a'"),
    ("x = ()", "x = []"),
    ("x = f'{a}b'", "x = f'{a}{b}'"),
    ("f(a, b)", "f((a, b))"),
    ("x = [1, 2]", "x = [[1], 2]"),
    ("def f(): '''a''' '''b'''\n'c'", "def f(): pass\n1"),
    ("'a'\nx = __doc__", "'b'\nx = __doc__"),
    (f"x = 0x{16**5000:x}", f"x = 0x{16**5000 + 1:x}"),
    ("global a\nb", "global b\na"),
    ("x = 'a\\0b'", "x = 'a'"),
    ("def f(:", "def f(:  # a mistake counts by its bytes"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=[one[:20] for one, _ in DIFFERENT])
def test_different_code_has_another_digest(one: str, other: str) -> None:
    assert read_source(one.encode()).digest != read_source(other.encode()).digest
    assert read_source(one.encode()) == read_source(one.encode())


def test_imports_are_read_wherever_they_stand() -> None:
    source = b"""
import a, b.c as d
from e import f, g as h
from . import i
from ..j.k import *
def later():
    import l
    try: from m import n
    except ImportError: n = None
class C:
    if True: import o
import importlib
p = importlib.import_module("unseen")
"""
    assert set(read_source(source).imports) == {
        *(Import(name) for name in ("a", "b.c", "l", "o", "importlib")),
        Import("e", ("f", "g")),
        Import("", ("i",), 1),
        Import("j.k", ("*",), 2),
        Import("m", ("n",)),
    }


@pytest.mark.parametrize(
    "data",
    [b"\0", b"\xff\xfe", b"(" * 10_000, b"x = " + b"-" * 50_000 + b"1", b"def f(:", b"", b"import x\n" * 500_000],
)
def test_what_cannot_be_parsed_counts_by_its_bytes(data: bytes) -> None:
    source = read_source(data)
    assert (source.imports, source) == ((), read_source(data))
    assert source.digest != read_source(data + b"x").digest


# -- the modules of a target

PROJECT = {
    "jobs.py": "from pkg import thing, sub\nimport json, helper\ndef f():\n    from pkg.deep import inner\n",
    "helper.py": "import helped\n",
    "helped.py": "import helper\n",  # in a circle
    "unused.py": "",
    "pkg/__init__.py": "thing = 1\n",
    "pkg/sub.py": "from . import beside\nfrom .deep.inner import x\n",
    "pkg/beside.py": "",
    "pkg/unused.py": "",
    "pkg/deep/__init__.py": "",
    "pkg/deep/inner.py": "from ..star import *\n",
    "pkg/star/__init__.py": "__all__ = ['one']\n",
    "pkg/star/one.py": "",
    "pkg/star/two.py": "",
    "space/inner/module.py": "",
}
MODULES = {
    *("jobs", "helper", "helped", "pkg", "pkg.sub", "pkg.beside", "pkg.deep", "pkg.deep.inner"),
    *("pkg.star", "pkg.star.one"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        write(tmp_path / name, text)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def closure(folder: Path, target: str = "jobs:f", cache: CodeCache | None = None, *more: Path) -> Closure:
    """What `target` consists of, in a workflow in `folder`."""
    reading = Closures(cache or CodeCache()).reading(parse_target(target, str(folder)), [str(folder), *map(str, more)])
    while True:
        try:
            next(reading)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]


def test_all_that_is_imported_counts_and_nothing_else(project: Path) -> None:
    assert set(closure(project).modules) == MODULES
    assert set(closure(project, "jobs.py:f").modules) == MODULES - {"jobs"} | {"jobs.py"}
    assert set(closure(project, "pkg.beside:f").modules) == {"pkg", "pkg.beside"}
    assert set(closure(project, "space.inner.module:f").modules) == {"space.inner.module"}
    assert closure(project, "builtins:print").modules == closure(project, "json:dumps").modules == {}


@pytest.mark.parametrize("name", [name for name in PROJECT if not name.startswith("space")])
def test_an_edit_changes_its_module_and_no_other(project: Path, name: str) -> None:
    before = closure(project).modules
    write(project / name, PROJECT[name] + "\n# a comment\n")
    assert closure(project).modules == before
    write(project / name, PROJECT[name] + "\nx = 5\n")
    after = closure(project).modules
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert {each for each in before if before[each] != after[each]} == {module} & MODULES


def test_nothing_is_executed(project: Path) -> None:
    for name, text in PROJECT.items():
        write(project / name, f"{text}\nraise SystemExit('{name} was imported')\n")
    assert set(closure(project).modules) == MODULES


def test_a_module_that_comes_later_counts(project: Path) -> None:
    write(project / "jobs.py", "try:\n    import fast.inner\nexcept ImportError:\n    pass\nfrom ... import out\n")
    assert {name for name, what in closure(project).modules.items() if what == ABSENT} == {"fast", "fast.inner"}
    write(project / "fast/inner.py", "")
    assert ABSENT not in closure(project).modules.values()


def test_the_first_folder_that_has_a_module_counts(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "other" / "helper.py", "y = 1\n")
    assert "helped" not in closure(tmp_path / "other", "helper:f", None, project).modules
    assert "helped" in closure(project, "helper:f", None, tmp_path / "other").modules


def test_a_compiled_module_counts_by_its_bytes(project: Path) -> None:
    write(project / "helper.abi3.so", "one")
    before = closure(project).modules
    assert "helped" not in before
    write(project / "helper.abi3.so", "two")
    assert before["helper"] != closure(project).modules["helper"]


def test_a_module_in_an_archive_counts_by_its_bytes(tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "all"), "zip", _folder_with(tmp_path / "inside", "zipped.py", "x = 1\n"))
    before = closure(tmp_path, "zipped:f", None, tmp_path / "all.zip").modules
    shutil.make_archive(str(tmp_path / "all"), "zip", _folder_with(tmp_path / "inside", "zipped.py", "x = 2222\n"))
    assert set(before) == {"zipped"}
    assert before != closure(tmp_path, "zipped:f", None, tmp_path / "all.zip").modules


def _folder_with(folder: Path, name: str, text: str) -> Path:
    write(folder / name, text)
    return folder


def test_a_link_that_leads_elsewhere_counts(project: Path) -> None:
    (project / "helper.py").rename(project / "one.py")
    write(project / "two.py", "x = 2\n")
    (project / "helper.py").symlink_to("one.py")
    cache = CodeCache()
    before = closure(project, "jobs:f", cache)
    (project / "helper.py").unlink()
    (project / "helper.py").symlink_to("two.py")
    assert before.changed_files() == [str(project / "helper.py")]
    assert closure(project).modules != before.modules


def test_an_editable_install_is_the_users(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it puts a folder onto the search path, or a hook into it, as setuptools does."""
    write(project / "elsewhere/src/edited/__init__.py", "from . import inner\n")
    write(project / "elsewhere/src/edited/inner.py", "import helper\n")
    write(project / "jobs.py", "import edited\n")
    modules = {"jobs", "edited", "edited.inner", "helper", "helped"}
    assert set(closure(project, "jobs:f", None, project / "elsewhere/src").modules) == modules
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Broken(), Hook(project / "elsewhere/src/edited")])
    assert set(closure(project).modules) == modules
    assert ABSENT not in closure(project).modules.values()


class Hook:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        init = str(self._folder / "__init__.py")
        return (
            spec_from_file_location(name, init, submodule_search_locations=[str(self._folder)])
            if name == "edited"
            else None
        )


class Broken:
    def find_spec(self, *_: object) -> ModuleSpec | None:
        raise ValueError("a hook of somebody's")


def test_a_search_path_may_hold_anything(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", "not\0there", project / "nowhere", str(project / "jobs.py"), *sys.path])
    assert set(closure(project).modules) == MODULES


# -- what is installed

SITE = "env/lib/python3.11/site-packages"
INSTALLED = {
    f"{SITE}/dist/__init__.py": "import hidden\n",
    f"{SITE}/dist-1.2.dist-info/RECORD": "dist/__init__.py,,\n",
    f"{SITE}/other_name/__init__.py": "",
    f"{SITE}/single.py": "",
    f"{SITE}/Py_Other-3.0.1.dist-info/RECORD": "other_name/__init__.py,,\nsingle.py,,\nPy_Other-3.0.1.dist-info/X,,\n",
    f"{SITE}/loose.py": "",
    f"{SITE}/space/two.py": "",
    "env/pyvenv.cfg": "",
    "jobs.py": "import dist.inner, other_name, single, loose, space.two\n",
}


def test_distributions_count_by_name_and_version(tmp_path: Path) -> None:
    """And what is in no distribution by its code, wherever it lies: here all lies below the workflow's folder."""
    for name, text in INSTALLED.items():
        write(tmp_path / name, text)
    found = closure(tmp_path, "jobs:f", None, tmp_path / SITE)
    named = {"dist": "dist 1.2", "other_name": "Py_Other 3.0.1", "single": "Py_Other 3.0.1"}
    assert set(found.modules) == {"jobs", "loose", "space.two", *named}
    assert {name: found.modules[name] for name in named} == named
    assert {Path(file).name for file in found.stamps} == {"jobs.py", "loose.py", "two.py"}
    (tmp_path / SITE / "dist-1.2.dist-info").rename(tmp_path / SITE / "dist-1.3.dist-info")
    assert closure(tmp_path, "jobs:f", None, tmp_path / SITE).modules["dist"] == "dist 1.3"


def test_an_environment_around_the_workflow_leaves_its_modules_the_users(project: Path) -> None:
    """As after `python -m venv .`; another environment's modules are no modules of the user's."""
    write(project / "pyvenv.cfg", "")
    assert set(closure(project).modules) == MODULES


def test_mprun_counts_by_its_version(project: Path) -> None:
    write(project / "jobs.py", "import mprun\nfrom mprun.api import load\n")
    assert set(closure(project).modules) == {"jobs"}


# -- the cache


def make_old(project: Path) -> None:
    """What was changed just now isn't remembered."""
    moment = time.time() - 60
    for name in PROJECT:
        os.utime(project / name, (moment, moment))


def test_files_are_read_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mprun.code.cache.RACY", -1)
    path = project / "code.json"
    before = closure(project, "jobs:f", CodeCache(str(path)))
    monkeypatch.setattr("mprun.code.cache.read_source", lambda data: pytest.fail("it was read again"))
    after = closure(project, "jobs:f", CodeCache(str(path)))
    assert (after.modules, after.stamps) == (before.modules, before.stamps)


def test_a_file_with_another_stamp_is_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mprun.code.cache.RACY", -1)
    path = project / "code.json"
    before = closure(project, "jobs:f", CodeCache(str(path)))
    times = os.stat(project / "helper.py")
    write(project / "helper.py", PROJECT["helper.py"].replace("helped", "pkg   "))
    os.utime(project / "helper.py", ns=(times.st_atime_ns, times.st_mtime_ns))  # its ctime is another
    after = closure(project, "jobs:f", CodeCache(str(path)))
    assert after.modules["helper"] != before.modules["helper"]


def test_what_was_changed_just_now_is_not_remembered(project: Path) -> None:
    path = project / "code.json"
    closure(project, "jobs:f", CodeCache(str(path)))
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 0}', '{"version": [1, 3, 1], "files": {}}', "[" * 100_000, "\0"]
)
def test_a_damaged_cache_is_an_empty_one(project: Path, text: str) -> None:
    path = project / "code.json"
    path.write_text(text)
    assert set(closure(project, "jobs:f", CodeCache(str(path))).modules) == MODULES


@pytest.mark.parametrize("entry", [[[], []], [1, 2], [None, {}], {}, [[1, 2, 3, 4], ["x"]], 5])
def test_a_damaged_entry_is_none(project: Path, entry: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with the right stamp."""
    import json

    monkeypatch.setattr("mprun.code.cache.RACY", -1)
    path = project / "code.json"
    closure(project, "jobs:f", CodeCache(str(path)))
    data = json.loads(path.read_text())
    for stamp, _ in data["files"].values():
        if isinstance(entry, list) and entry and entry[0] == []:
            entry = [stamp, entry[1]]
    data["files"] = dict.fromkeys(data["files"], entry)
    path.write_text(json.dumps(data))
    assert set(closure(project, "jobs:f", CodeCache(str(path))).modules) == MODULES


def test_files_that_change_while_they_are_at_work_are_known(project: Path) -> None:
    began = time.time_ns() + 10**9
    found = closure(project)
    assert (found.files_since(began), found.changed_files()) == ([], [])
    assert set(found.files_since(0)) == set(found.stamps)
    write(project / "helper.py", "x = 1\n")
    (project / "helped.py").unlink()
    assert set(found.changed_files()) == {str(project / name) for name in ("helper.py", "helped.py")}
