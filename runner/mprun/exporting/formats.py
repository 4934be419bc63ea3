"""The one table of export formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mprun.exporting.chrome_trace import chrome_trace
from mprun.exporting.comma_separated import comma_separated
from mprun.exporting.joblog import joblog
from mprun.exporting.junit import junit
from mprun.exporting.otlp import otlp
from mprun.exporting.run_log import RunLog

FORMATS: dict[str, Callable[[RunLog], Iterator[str]]] = {
    "chrome-trace": chrome_trace,
    "joblog": joblog,
    "csv": comma_separated,
    "junit": junit,
    "otlp": otlp,
}
