"""The part of a generated script that makes of arguments what annotations ask for.

It knows classes of the standard library, dataclasses and named tuples. Where an annotation is one that it can't read,
such as a Pydantic model, it raises TypeError rather than give the function something else than a run would.
"""

CONVERTED = '''\
def converted(function, /, *args, **kwargs):
    """Call `function` with what its annotations ask for: a text as a Path, a list as a tuple."""
    return call_converted(function, args, kwargs, text=False)'''

CONVERTED_FROM_TEXT = '''\
def converted_from_text(function, /, *args, **kwargs):
    """As `converted`, of arguments from a file in which everything is text."""
    return call_converted(function, args, kwargs, text=True)'''

AS_ASKED = '''\
def call_converted(function, args, kwargs, text):
    bound = inspect.signature(function, eval_str=True).bind(*args, **kwargs)
    for name, value in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        asked = parameter.annotation
        if parameter.kind is parameter.VAR_POSITIONAL:
            bound.arguments[name] = tuple(as_asked(asked, item, text) for item in value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            bound.arguments[name] = {key: as_asked(asked, value[key], text) for key in value}
        else:
            bound.arguments[name] = as_asked(asked, value, text)
    return function(*bound.args, **bound.kwargs)


def as_asked(asked, value, text):
    """`value` as the annotation `asked` says. Raises TypeError where this program can't tell."""
    kind, inside = typing.get_origin(asked) or asked, typing.get_args(asked)
    if kind in (inspect.Parameter.empty, typing.Any, object) or isinstance(kind, typing.TypeVar):
        return value
    if kind in (typing.Union, types.UnionType):
        return as_member(inside, value, text)
    if kind is typing.Literal and (type(value), value) in [(type(each), each) for each in inside]:
        return value
    if inside or kind in (tuple, set, frozenset):
        return as_container(kind, inside, value, text)
    if isinstance(value, kind) and (type(value), kind) != (bool, int):
        return value
    return made(kind, value, text)


def as_member(members, value, text):
    """`value` as one of several annotations, of which all but None and its own type must be one."""
    if type(value) in members and not text:
        return value
    if text and value == "" and type(None) in members:
        return None
    others = [member for member in members if member is not type(None)]
    if len(others) > 1:
        raise TypeError(f"this program can't tell which of {members} {value!r} is")
    return as_asked(others[0], value, text)


def as_container(kind, inside, value, text):
    is_list = isinstance(value, (list, tuple, set, frozenset))
    if is_list and kind is tuple and inside and inside[-1] is not ...:
        return tuple(as_asked(*pair, text) for pair in zip(inside, value, strict=True))
    if is_list and kind in (list, tuple, set, frozenset):
        return kind(as_asked(inside[0] if inside else object, item, text) for item in value)
    if type(value) is list and len(inside) == 1 and issubclass(list, kind):
        return [as_asked(inside[0], item, text) for item in value]
    if isinstance(value, dict) and len(inside) == 2 and issubclass(dict, kind):
        key_asked, asked = inside
        return {as_asked(key_asked, key, text): as_asked(asked, value[key], text) for key in value}
    if isinstance(value, kind):
        return value
    raise TypeError(f"this program can't make {kind} of {value!r}")


def made(kind, value, text):
    """A `kind` made of `value`, which is none yet."""
    given = type(value)
    if (kind, given) in READERS:
        return READERS[kind, given](value)
    if text and given is str and kind in TEXT_READERS:
        return TEXT_READERS[kind](value)
    if issubclass(kind, enum.Enum):
        return member_of(kind, value)
    if given in (list, tuple) and len(value) <= len(getattr(kind, "_fields", ())):
        value = dict(zip(kind._fields, value, strict=False))
    if isinstance(value, dict) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")):
        return record_of(kind, value, text)
    raise TypeError(f"this program can't make {kind} of {value!r}")


def member_of(kind, value):
    """The member of an enumeration that has this value, else the one that has this name."""
    for member in kind.__members__.values():
        if type(member.value) is type(value) and member.value == value:
            return member
    if value in kind.__members__:
        return kind[value]
    raise TypeError(f"this program can't make {kind} of {value!r}")


def record_of(kind, fields, text):
    """A dataclass or a named tuple; rows of text may have more columns than it has fields."""
    parameters = inspect.signature(kind, eval_str=True).parameters
    if not text and not fields.keys() <= parameters.keys():
        raise TypeError(f"{kind} has not all the fields of {fields!r}")
    asked = {name: parameters[name].annotation for name in fields if name in parameters}
    return kind(**{name: as_asked(asked[name], fields[name], text) for name in asked})


def length_of(text):
    """The length of time that is written as 1h30m, 90s or 250ms."""
    parts = re.findall(r"([0-9.]+)(h|ms|m|s)", text)
    if not parts or "".join(map("".join, parts)) != text:
        raise TypeError(f"this program can't read the length of time {text!r}")
    seconds = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return datetime.timedelta(seconds=sum(float(number) * seconds[unit] for number, unit in parts))


def seconds_long(number):
    return datetime.timedelta(seconds=number)


def as_written(number):
    return decimal.Decimal(repr(number))


# By what is asked for and what is given.
READERS = {
    (float, int): float,
    (complex, int): complex,
    (complex, float): complex,
    (pathlib.Path, str): pathlib.Path,
    (pathlib.PurePath, str): pathlib.PurePath,
    (datetime.date, str): datetime.date.fromisoformat,
    (datetime.datetime, str): datetime.datetime.fromisoformat,
    (datetime.time, str): datetime.time.fromisoformat,
    (datetime.timedelta, int): seconds_long,
    (datetime.timedelta, float): seconds_long,
    (datetime.timedelta, str): length_of,
    (decimal.Decimal, int): decimal.Decimal,
    (decimal.Decimal, float): as_written,
    (decimal.Decimal, str): decimal.Decimal,
    (uuid.UUID, str): uuid.UUID,
}
TEXT_READERS = {int: int, float: float, bool: {"true": True, "false": False}.__getitem__}'''

CONVERTING_NAMES = frozenset(
    {"READERS", "TEXT_READERS", "as_container", "as_member", "as_written", "call_converted", "length_of", "made"}
    | {"member_of", "record_of", "seconds_long"}
)
"""What AS_ASKED defines beside what it is called for."""
