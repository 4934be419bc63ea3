"""What a generated script defines for itself where its plan wants more than `multiprocessing` has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mprun.planning.eject.converting import AS_ASKED, CONVERTED, CONVERTED_FROM_TEXT, CONVERTING_NAMES
from mprun.planning.eject.shared_helpers import (
    ARRAY_OF_FILE,
    CALL_AND_LEAVE,
    ENDING_QUEUE,
    KEEP_FUNCTION,
    MAPPED_FILE,
    SHARED_ARRAY,
    SHARED_HELPER_NAMES,
)


@dataclass(frozen=True, slots=True)
class Helper:
    """The text of a definition, the modules that it uses, and the other helpers that it calls."""

    text: str
    modules: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_RETURNING = '''\
class Returning:
    """A Process that has in `result` what its function returned: it comes back through a pipe."""

    def __init__(self, context, target, args=(), kwargs={}):
        self._context = context
        self._call = (target, args, kwargs)
        self.result = None

    def start(self):
        # The sentinel can be read from when there is a result, or an end.
        self.sentinel, sender = self._context.Pipe(duplex=False)
        self._process = self._context.Process(target=send_result, args=(sender, *self._call))
        self._process.start()
        sender.close()

    def join(self):
        with contextlib.suppress(EOFError):  # it has failed: its exit code tells
            self.result = self.sentinel.recv()
        self._process.join()
        self.exitcode = self._process.exitcode

    def close(self):
        self.sentinel.close()
        self._process.close()


def send_result(sender, function, args, kwargs):
    """Call `function`, and send what it returns."""
    try:
        result = function(*args, **kwargs)
    except SystemExit as end:
        if end.code:
            raise
        result = None
    sender.send(result)'''

_FAN_OUT = '''\
class FanOut:
    """Many processes, of which at most `most` are at work at once."""

    def __init__(self, processes, most):
        self._processes = list(processes)
        self._waiting = iter(self._processes)
        self._most = most
        self._at_work = {}
        self.exitcode = 0

    def start(self):
        for process in itertools.islice(self._waiting, self._most):
            self._start(process)

    def join(self):
        while self._at_work:
            for sentinel in multiprocessing.connection.wait(self._at_work):
                self._end(self._at_work.pop(sentinel))
                for process in itertools.islice(self._waiting, 1):
                    self._start(process)

    def _start(self, process):
        process.start()
        self._at_work[process.sentinel] = process

    def _end(self, process):
        process.join()
        self.exitcode = self.exitcode or process.exitcode
        process.close()

    @property
    def result(self):
        return [process.result for process in self._processes]'''

_RUN_COMMAND = '''\
def run_command(command):
    """Run a program; what it prints is printed here too, and returned without its last newline."""
    done = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    sys.stdout.buffer.write(done.stdout)
    sys.stdout.flush()
    return done.stdout.decode("utf-8", "backslashreplace").removesuffix("\\n")'''

_PART_OF = '''\
def part_of(value, *path):
    """What `path` leads to in `value`: keys of mappings, indexes of lists, attributes otherwise."""
    for part in path:
        if isinstance(value, dict):
            value = value[part] if part in value else value[int(part)]
        elif isinstance(value, (list, tuple)) and part.lstrip("-").isdecimal():
            value = value[int(part)]
        else:
            value = getattr(value, part)
    return value'''

_TEXT_OF = '''\
def text_of(value):
    """`value` inside a text: as YAML would write it, lists and mappings as JSON if they can be."""
    if value is None or isinstance(value, (bool, list, dict)):
        with contextlib.suppress(TypeError, ValueError):
            return json.dumps(value, ensure_ascii=False)
    return str(value)'''

_CALL_WITH = '''\
def call_with(function, item, /, **shared):
    """Call `function` with the keyword arguments that `item` holds."""
    return function(**item, **shared)'''

_CALL_SPREAD = '''\
def call_spread(function, item, /, **shared):
    """Call `function` with the arguments that `item` holds: by name, or by position."""
    if isinstance(item, dict):
        return function(**{**shared, **item})
    return function(*item, **shared)'''

_FINALS = '''\
def begin_worker(folder, finalizer, initializer=None, *initargs):
    """Set a worker of a pool up, and have it call `finalizer` when it ends."""
    if initializer is not None:
        initializer(*initargs)
    multiprocessing.util.Finalize(None, leave_final, (folder, finalizer), exitpriority=0)


def leave_final(folder, finalizer):
    """Write what `finalizer` returns into a file, which stays empty if that raises."""
    number = multiprocessing.current_process()._identity[-1]
    with open(os.path.join(folder, f"{number:09}"), "xb") as file:
        file.write(pickle.dumps(finalizer()))


def finals_of(pool, folder):
    """Let the workers of `pool` end; what each has left, in the order of their starts."""
    pool.close()
    pool.join()
    finals = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            finals.append(pickle.load(file))
    return finals'''

_PLAIN = '''\
def plain(value):
    """`value` with all in it as JSON has it. Raises TypeError where JSON hasn't."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) in (list, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict) and all(type(key) is str and key[:1] != "$" for key in value):
        return {key: plain(item) for key, item in value.items()}
    raise TypeError(f"this program writes only plain data as JSON, and not {value!r}")


def as_json(value):
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))'''

_SAVE = '''\
def save(path, text):
    """Write the file `path`, in a folder that is made if need be."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)'''

_SAVE_JSON = """\
def save_json(path, value):
    save(path, as_json(value) + "\\n")"""

_SAVE_JSON_LIST = '''\
def save_json_list(path, values):
    """One value a line."""
    lines = ",\\n".join(map(as_json, values))
    save(path, f"[\\n{lines}\\n]\\n" if values else "[]\\n")'''

_SAVE_JSONL = """\
def save_jsonl(path, values):
    save(path, "".join(as_json(value) + "\\n" for value in values))"""

_SAVE_CSV = '''\
def save_csv(path, values):
    """A row a value; of mappings, dataclasses and named tuples under a head with their keys."""
    rows = [row_of(value) for value in values]
    if len({frozenset(row) if isinstance(row, dict) else None for row in rows}) > 1:
        raise TypeError("the rows of a csv file are alike")
    if rows and isinstance(rows[0], dict):
        head = list(rows[0])
        rows = [head, *([row[key] for key in head] for row in rows)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\\n").writerows(map(cell_of, row) for row in rows)
    save(path, text.getvalue())


def row_of(value):
    if isinstance(value, dict):
        return dict(value)
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, (list, tuple)):
        return value
    raise TypeError(f"a row of a csv file is a mapping or a list, and not {value!r}")


def cell_of(value):
    if value is None:
        return ""
    if type(value) in (str, int, float, bool):
        return str(value)
    raise TypeError(f"this program writes only plain texts and numbers as cells, and not {value!r}")'''

_SAVE_PICKLE = """\
def save_pickle(path, value):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        pickle.dump(value, file, 5)"""

_ROWS_IN = '''\
def rows_in(value):
    """The items of the one list that was returned, or what else was returned as the only row."""
    is_list = isinstance(value, (list, tuple)) and not hasattr(value, "_asdict")
    return value if is_list else [value]'''

_OF_JSON = ("save", "as_json")

LIBRARY: dict[str, Helper] = {
    "Returning": Helper(_RETURNING, ("contextlib",)),
    "FanOut": Helper(_FAN_OUT, ("itertools", "multiprocessing.connection")),
    "run_command": Helper(_RUN_COMMAND, ("subprocess",)),
    "call_with": Helper(_CALL_WITH),
    "call_spread": Helper(_CALL_SPREAD),
    "converted": Helper(CONVERTED, (), ("as_asked",)),
    "converted_from_text": Helper(CONVERTED_FROM_TEXT, (), ("as_asked",)),
    "as_asked": Helper(
        AS_ASKED,
        ("dataclasses", "datetime", "decimal", "enum", "inspect", "pathlib", "re", "types", "typing", "uuid"),
    ),
    "finals_of": Helper(_FINALS, ("multiprocessing.util", "pickle", "tempfile")),
    "EndingQueue": Helper(ENDING_QUEUE, ("contextlib",)),
    "call_and_leave": Helper(CALL_AND_LEAVE),
    "keep_function": Helper(KEEP_FUNCTION),
    "shared_array": Helper(SHARED_ARRAY, ("math", "numpy")),
    "array_of_file": Helper(ARRAY_OF_FILE, (), ("shared_array",)),
    "mapped_file": Helper(MAPPED_FILE, ("numpy",)),
    "part_of": Helper(_PART_OF),
    "text_of": Helper(_TEXT_OF, ("contextlib", "json")),
    "rows_in": Helper(_ROWS_IN),
    "as_json": Helper(_PLAIN, ("json", "math")),
    "save_json": Helper(_SAVE_JSON, (), _OF_JSON),
    "save_json_list": Helper(_SAVE_JSON_LIST, (), _OF_JSON),
    "save_jsonl": Helper(_SAVE_JSONL, (), _OF_JSON),
    "save_csv": Helper(_SAVE_CSV, ("csv", "dataclasses", "io"), ("save",)),
    "save_pickle": Helper(_SAVE_PICKLE, ("pickle",)),
    "save": Helper(_SAVE),
}

LIBRARY_NAMES = (
    frozenset(LIBRARY)
    | CONVERTING_NAMES
    | SHARED_HELPER_NAMES
    | {"send_result", "plain", "row_of", "cell_of", "begin_worker", "leave_final"}
)
LIBRARY_MODULES = frozenset(module.partition(".")[0] for helper in LIBRARY.values() for module in helper.modules)


class Used:
    """The helpers that a script calls."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __call__(self, name: str) -> str:
        """The name of the helper, which is one that is used from now on."""
        self._names.update((name, *LIBRARY[name].needs))
        return name

    def texts(self) -> list[str]:
        return [helper.text for helper in self._helpers()]

    def modules(self) -> Iterable[str]:
        return [module for helper in self._helpers() for module in helper.modules]

    def _helpers(self) -> Iterator[Helper]:
        return (helper for name, helper in LIBRARY.items() if name in self._names)
