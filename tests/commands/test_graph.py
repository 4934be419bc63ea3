"""What `mprun graph` and `mprun params` tell of a workflow, without importing any of its targets."""

from __future__ import annotations

import pytest
from conftest import CommandLine

FLOW = """\
processes:
  fetch: {target: "gone:f", foreach: [north, south], args: ["${item}"]}
  clock: {target: "gone:f", daemon: true}
  clean: {target: "gone:f", needs: {fetch: failed}}
  report: {target: "gone:f", args: ["${results.total}"], needs: {shrink: finished}}
pools:
  shrink: {target: "gone:f", imap: "${results.fetch}"}
  total: {target: "gone:f", map: "${results.shrink}"}
  grid: {target: "gone:f", matrix: {x: {range: 1000}, y: {range: 1000}}, needs: fetch}
"""

TEXT = """\
1  fetch [2 processes]
1  clock [daemon]
2  clean [process]               ← fetch (failed)
2  shrink [pool]                 ← fetch (streams)
2  grid [pool, 1,000,000 tasks]  ← fetch
3  total [pool]                  ← shrink (results)
4  report [process]              ← total (results), shrink (finished)
"""

MERMAID = """\
flowchart TD
    s0["fetch<br/>2 processes"]
    s1["clock<br/>daemon"]
    s2["clean<br/>process"]
    s3["report<br/>process"]
    s4["shrink<br/>pool"]
    s5["total<br/>pool"]
    s6["grid<br/>pool, 1,000,000 tasks"]
    s0 -->|failed| s2
    s5 -->|results| s3
    s4 -->|finished| s3
    s0 -->|streams| s4
    s4 -->|results| s5
    s0 --> s6
"""

DOT = r"""digraph {
    node [shape=box];
    "fetch" [label="fetch\n2 processes"];
    "clock" [label="clock\ndaemon"];
    "clean" [label="clean\nprocess"];
    "report" [label="report\nprocess"];
    "shrink" [label="shrink\npool"];
    "total" [label="total\npool"];
    "grid" [label="grid\npool, 1,000,000 tasks"];
    "fetch" -> "clean" [label="failed"];
    "total" -> "report" [label="results"];
    "shrink" -> "report" [label="finished"];
    "fetch" -> "shrink" [label="streams"];
    "shrink" -> "total" [label="results"];
    "fetch" -> "grid";
}
"""


@pytest.mark.parametrize(
    ("options", "graph"),
    [((), TEXT), (("--format", "mermaid"), MERMAID), (("--format", "dot"), DOT)],
    ids=["text", "mermaid", "dot"],
)
def test_a_graph(mprun: CommandLine, options: tuple[str, ...], graph: str) -> None:
    mprun.write("w.yaml", FLOW)
    ran = mprun("graph", "w.yaml", *options)
    assert (ran.code, ran.stderr, ran.stdout) == (0, "", graph)


def test_steps_around_a_run_and_conditions_have_their_place(mprun: CommandLine) -> None:
    mprun.write(
        "w.yaml",
        """
        params: {deep: false}
        processes:
          fetch: {target: "gone:f"}
          dig: {target: "gone:f", needs: fetch, if: "${params.deep}"}
        on_exit:
          tidy: {target: "gone:f"}
          tell: {target: "gone:f", needs: tidy}
        """,
    )
    assert mprun("graph", "w.yaml").stdout == (
        "1          fetch [process]\n"
        "2          dig [process]    ← fetch if ${params.deep}\n"
        "on_exit    tidy [process]\n"
        "on_exit 2  tell [process]   ← tidy\n"
    )


def test_a_graph_of_a_wrong_workflow(mprun: CommandLine) -> None:
    mprun.write("w.yaml", FLOW + "nope: 1\n")
    ran = mprun("graph", "w.yaml")
    assert ran.code == 2
    assert "error[unknown-key]: `nope`" in ran.stderr


PARAMS = """\
params:
  corpus: {type: path, default: data, description: a folder of .txt files}
  top-n: {type: int, minimum: 1, maximum: 100}
  mode: {choices: [fast, slow], default: fast}
  sizes: [1, 2]
  token: {type: str, secret: true, description: for the API}
  since: {type: date, required: false}
  name: {pattern: "[a-z]+"}
processes: {a: {target: "gone:f", args: ["${params.nope}"]}}
"""

TABLE = """\
parameter  type         default     takes                    variable            description
corpus     path         data                                 MPRUN_PARAM_CORPUS  a folder of .txt files
top-n      int          (required)  at least 1, at most 100  MPRUN_PARAM_TOP_N
mode       enum         fast        fast | slow              MPRUN_PARAM_MODE
sizes      list of int  [1, 2]                               MPRUN_PARAM_SIZES
token      str          (required)  a secret                 MPRUN_PARAM_TOKEN   for the API
since      date         null                                 MPRUN_PARAM_SINCE
name       str          (required)  matches [a-z]+           MPRUN_PARAM_NAME

give them with -p NAME=VALUE, --params FILE, or by their variables
"""


def test_the_parameters_of_a_workflow(mprun: CommandLine) -> None:
    mprun.write("w.yaml", PARAMS)
    ran = mprun("params", "w.yaml")
    assert (ran.code, ran.stderr, ran.stdout) == (0, "", TABLE)


def test_parameters_that_are_wrong(mprun: CommandLine) -> None:
    mprun.write("w.yaml", "params: {a: {type: int, default: x}}\n")
    ran = mprun("params", "w.yaml")
    assert ran.code == 2
    assert "the default of `a`" in ran.stderr


def test_no_parameters(mprun: CommandLine) -> None:
    mprun.write("w.yaml", "processes: {a: {target: 'gone:f'}}\n")
    assert mprun("params", "w.yaml").stdout == "w.yaml has no parameters\n"
