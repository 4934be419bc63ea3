"""A workflow of several files, run."""

from __future__ import annotations

from conftest import CommandLine


def test_a_workflow_of_several_files_runs(mprun: CommandLine) -> None:
    mprun.write(
        "sub/part.yaml",
        "params: {size: 1}\npools: {read: {target: 'counting:count', map: {range: '${params.size}'}}}\n",
    )
    mprun.write("sub/counting.py", "def count(number): return number\n")
    mprun.write(
        "main.yaml",
        "include: {file: sub/part.yaml, params: {size: 3}}\nprocesses: {last: {target: 'time:time', needs: read}}\n",
    )
    assert mprun("main.yaml").code == 0
    head, *rest = mprun.log()
    assert list(head["included"]) == [str(mprun.folder / "sub/part.yaml")]
    assert sorted(event["result"] for event in rest if event["event"] == "task.result") == [0, 1, 2]
