"""`mprun query`: SQL over the events of a run. DuckDB reads the JSON Lines itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mprun.cli.open_log import open_log
from mprun.cli.options import RunReference, RunsDir
from mprun.cli.output import show, table
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.runs.find import find_run
from mprun.sinks.text import shown

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

MAX_CELL = 80  # characters shown of one value
BATCH = 1000  # rows per fetch

_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?", re.IGNORECASE)
_NODE = re.compile(r'"type":"(\w+_NODE)"')
_READING = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}

_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}

_VIEWS = {
    "tasks": """
        SELECT seq, ts, step, coalesce(task, 0) AS task, key, attempt, outcome, duration, waited, worker, pid, result,
            args, kwargs, "exception.type", "exception.message", "exception.stacktrace", reason, cancelled_by,
            event IN ('task.result', 'process.result') AS final
        FROM events WHERE event IN ('task.result', 'process.result', 'task.retried', 'process.retried')
    """,
    "workers": """
        SELECT s.step, s.worker, s.pid, s.ts AS started, j.ts AS joined, j.exitcode, j.signal, j.reason, j.tasks,
            j.cpu_time, j.max_rss
        FROM events s LEFT JOIN events j
            ON j.event = 'worker.joined' AND j.step = s.step AND j.worker = s.worker AND j.pid = s.pid
        WHERE s.event = 'worker.started'
    """,
    "steps": """
        SELECT coalesce(s.step, f.step) AS step, coalesce(s.kind, f.kind) AS kind, s.target, s.ts AS started,
            f.ts AS finished, coalesce(f.outcome, 'skipped') AS outcome, f.duration, f.tasks, f.error, f.reason
        FROM (SELECT * FROM events WHERE event = 'step.started') s
        FULL JOIN (SELECT * FROM events WHERE event IN ('step.finished', 'step.skipped')) f ON f.step = s.step
    """,
}


def command(
    run: RunReference,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A query of these tables.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a row.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> ExitCode:
    """Ask a run's log in SQL: the tables are events, tasks (each attempt), workers and steps.

    Needs the extra `query` (DuckDB).
    """
    log = find_run(run, runs_dir).log
    try:
        import duckdb
    except ImportError as error:
        raise UsageError("queries need the package duckdb: pip install 'mprun[query]'") from error
    with open_log(log):
        database = duckdb.connect()
        try:
            _create_tables(database, log)
            database.execute(_question(database, sql))
            _show(database, as_json)
        except duckdb.Error as error:
            raise UsageError(f"the query can't be answered: {shown_lines(str(error))}") from error
        finally:
            database.close()
    return ExitCode.SUCCEEDED


def shown_lines(text: str) -> str:
    """Return `text` with control characters escaped, except for newlines."""
    return "\n".join(map(shown, text.splitlines()))


def _create_tables(database: DuckDBPyConnection, log: str) -> None:
    """Create the tables as views of the log, which is the only file that a query can reach."""
    columns = ", ".join(f"{_text(key)}: {_text(kind)}" for key, kind in _columns().items())
    source = f"read_json({_text(log)}, format = 'newline_delimited', columns = {{{columns}}}, ignore_errors = true)"
    database.execute(f"SET allowed_paths = [{_text(log)}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    database.execute(f"CREATE VIEW events AS SELECT * FROM {source}")
    for name, select in _VIEWS.items():
        database.execute(f"CREATE VIEW {name} AS {select}")


def _question(database: DuckDBPyConnection, sql: str) -> Statement:
    """Return the one SELECT that `sql` is or explains. Any other statement could write, also to the log.

    Raises UsageError.
    """
    from duckdb import StatementType

    statements = database.extract_statements(sql)
    explained = _EXPLAIN.sub("", sql, count=1)  # EXPLAIN ANALYZE executes the statement
    kinds = [statement.type for statement in database.extract_statements(explained)]
    if kinds != [StatementType.SELECT] or not _only_reads(database, explained):
        raise UsageError("a query is one SELECT: nothing is written, and one table is the answer")
    return statements[0]


def _only_reads(database: DuckDBPyConnection, select: str) -> bool:
    """Return whether no other statement is inside: `WITH x AS (COPY …)` is a SELECT too."""
    (tree,) = database.execute("SELECT json_serialize_sql(?::VARCHAR)", [select]).fetchall()[0]
    return set(_NODE.findall(tree)) <= _READING and '"json_execute_serialized_sql"' not in tree.lower()


def _columns() -> dict[str, str]:
    """Return a column for each key that an event can have, with its type. Nested or mixed values are JSON."""
    from mprun.log.schema.events import event_schema

    columns: dict[str, str] = {}
    for form in event_schema()["definitions"].values():
        for key, schema in form["properties"].items():
            kind = _kind(schema)
            columns[key] = kind if columns.get(key, kind) == kind else "JSON"
    return {**columns, "seq": "BIGINT", "ts": "TIMESTAMP", "event": "VARCHAR"}


def _kind(schema: dict[str, Any]) -> str:
    forms = [form for form in schema.get("anyOf", [schema]) if form.get("type") != "null"]
    kinds = {_TYPES.get(form.get("type", ""), "JSON") for form in forms}
    return kinds.pop() if len(kinds) == 1 else "JSON"


def _show(database: DuckDBPyConnection, as_json: bool) -> None:
    names = [str(column[0]) for column in database.description or []]
    if as_json:
        while rows := database.fetchmany(BATCH):
            show("".join(f"{_json(dict(zip(names, row, strict=True)))}\n" for row in rows))
    else:
        rows = database.fetchall()
        show(table([[shown(name) for name in names], *(list(map(_cell, row)) for row in rows)]) if names else "")


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)


def _cell(value: Any) -> str:
    text = "" if value is None else shown(str(value))
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _text(value: str) -> str:
    """Return `value` as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"
