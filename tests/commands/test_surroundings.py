"""What a step's children find around them: their own variables and folder, on top of the workflow's."""

import pytest
from conftest import CommandLine

LOOK = "import os\n\ndef look(*_): return [os.environ.get(name) for name in 'ABC'] + [os.path.basename(os.getcwd())]\n"


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("engine", ["local", "stdlib"])
def test_children_find_the_surroundings_of_their_step(mprun: CommandLine, engine: str, start_method: str) -> None:
    mprun.write("flow/look.py", LOOK)
    mprun.write("flow/sub/x", "")
    mprun.write(
        "flow/w.yaml",
        f"""
        start_method: {start_method}
        engine: {engine}
        env: {{A: '1', B: '2'}}
        processes:
          plain: {{target: look:look}}
          own: {{target: look:look, env: {{B: x, C: 3}}, working_dir: sub}}
        pools:
          pooled: {{target: look:look, map: [0], processes: 1, env: {{C: 3}}, working_dir: sub}}
        """,
    )
    assert mprun("flow/w.yaml").code == 0
    results = {event["step"]: event["result"] for event in mprun.log() if event["event"].endswith(".result")}
    assert results == {
        "plain": ["1", "2", None, "flow"],
        "own": ["1", "x", "3", "sub"],
        "pooled": ["1", "2", "3", "sub"],
    }
