"""The targets of checksums.yaml: files compared with a manifest in the format of `sha256sum`."""

import hashlib
import sys
from pathlib import Path

_listed: dict[Path, str] = {}


def load_manifest(manifest: str) -> None:
    """Remember in this worker what `manifest` lists."""
    _listed.clear()
    _listed.update(read_manifest(Path(manifest)))


def read_manifest(manifest: Path) -> dict[Path, str]:
    """The digests (hexadecimal) by path; the paths in the manifest start from the folder it lies in."""
    listed = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        digest, name = line.split(maxsplit=1)
        listed[manifest.parent / name.removeprefix("*")] = digest
    return listed


def check_file(path: str) -> str:
    """`path` and one of `ok`, `changed`, `unlisted`."""
    return f"{path}: {state(Path(path))}"


def state(path: Path) -> str:
    if path not in _listed:
        return "unlisted"
    return "ok" if sha256(path) == _listed[path] else "changed"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def report_missing(manifest: str) -> None:
    """Print the files that are listed but not there; fail if there are any."""
    listed = read_manifest(Path(manifest))
    missing = [path for path in listed if not path.exists()]
    for path in missing:
        print(f"{path}: missing")
    if missing:
        sys.exit(f"{len(missing)} of {len(listed)} listed files are missing.")
    print(f"All {len(listed)} listed files are there.")
