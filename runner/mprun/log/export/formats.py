"""The table of export formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mprun.log.export.chrome_trace import chrome_trace
from mprun.log.export.comma_separated import comma_separated
from mprun.log.export.joblog import joblog
from mprun.log.export.junit import junit
from mprun.log.export.otlp import otlp
from mprun.log.export.run_log import RunLog

FORMATS: dict[str, Callable[[RunLog], Iterator[str]]] = {
    "chrome-trace": chrome_trace,
    "joblog": joblog,
    "csv": comma_separated,
    "junit": junit,
    "otlp": otlp,
}
