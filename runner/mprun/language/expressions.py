"""Conditions over named values: `duration > 2s and outcome in ["raised", "lost"]`. Parsed, never evaluated as Python.

expression  = both { "or" both }
both        = negation { "and" negation }
negation    = "not" negation | comparison
comparison  = operand [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in" ) operand ]
operand     = number | duration | text | name | "${" reference "}" | list | "(" expression ")"

A text stands in single or double quotes, with \\ before a quote or a \\; a duration is `1h30m`, `2s`, `500ms` and means
seconds; `true`, `false` and `null` are what they are in JSON. A name has parts with dots between (`exception.type`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mprun.language.equality import equal
from mprun.language.references import Reference, ReferenceSyntaxError, read_reference

MAX_LENGTH = 2000  # characters
MAX_DEPTH = 32  # of parentheses, lists and `not`

Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


class ExpressionError(ValueError):
    """An expression that can't be parsed. `column` counts from 1; `length` is the number of characters concerned."""

    def __init__(self, message: str, column: int, length: int = 1) -> None:
        super().__init__(message)
        self.column = column
        self.length = length


@dataclass(frozen=True, slots=True)
class Constant:
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A name to look up; `parts` are the words between the dots."""

    parts: tuple[str, ...]
    column: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Listed:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


@dataclass(frozen=True, slots=True)
class Compared:
    left: Expression
    operator: Comparison
    right: Expression


@dataclass(frozen=True, slots=True)
class Joined:
    """Two or more operands joined by `and` or `or`."""

    operator: Literal["and", "or"]
    operands: tuple[Expression, ...]


Expression = Constant | Name | Reference | Listed | Not | Compared | Joined

Lookup = Callable[[Name | Reference], Any]


def read_expression(text: str) -> Expression:
    """Parse `text`. Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"a condition has at most {MAX_LENGTH:,} characters", MAX_LENGTH + 1)
    return _Reader(text).whole()


def value_of(expression: Expression, lookup: Lookup) -> Any:
    """Evaluate `expression`; `lookup` returns the value of each name and reference. Passes on what it raises."""
    match expression:
        case Constant(value):
            return value
        case Name() | Reference():
            return lookup(expression)
        case Listed(items):
            return [value_of(item, lookup) for item in items]
        case Not(operand):
            return not value_of(operand, lookup)
        case Joined("and", operands):
            return all(value_of(operand, lookup) for operand in operands)
        case Joined(_, operands):
            return any(value_of(operand, lookup) for operand in operands)
        case Compared(left, operator, right):
            return _COMPARE[operator](value_of(left, lookup), value_of(right, lookup))


def names_in(expression: Expression) -> Iterator[Name | Reference]:
    """Each name and reference in `expression`."""
    return (leaf for leaf in leaves(expression) if not isinstance(leaf, Constant))


def leaves(expression: Expression) -> Iterator[Constant | Name | Reference]:
    """The operands of `expression`, in the order written."""
    match expression:
        case Constant() | Name() | Reference():
            yield expression
        case Listed(parts) | Joined(_, parts):
            for part in parts:
                yield from leaves(part)
        case Not(operand):
            yield from leaves(operand)
        case Compared(left, _, right):
            yield from leaves(left)
            yield from leaves(right)


# -- comparing: values without an order are neither less nor greater, and raise nothing


def put_in(expression: Expression, lookup: Callable[[Reference], Any]) -> Expression:
    """`expression` with values in the place of references; `lookup` returns a reference itself where its value isn't
    known yet."""
    match expression:
        case Reference():
            value = lookup(expression)
            return value if isinstance(value, Reference) else Constant(value)
        case Listed(items):
            return Listed(tuple(put_in(item, lookup) for item in items))
        case Joined(operator, operands):
            return Joined(operator, tuple(put_in(operand, lookup) for operand in operands))
        case Not(operand):
            return Not(put_in(operand, lookup))
        case Compared(left, operator, right):
            return Compared(put_in(left, lookup), operator, put_in(right, lookup))
    return expression


def _less(left: Any, right: Any) -> bool:
    return _ordered(left, right) and bool(left < right)


def _ordered(left: Any, right: Any) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str)
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in (left, right))


def _in(left: Any, right: Any) -> bool:
    if isinstance(right, str):
        return isinstance(left, str) and left in right
    return isinstance(right, list | tuple | dict) and any(equal(left, item) for item in right)


_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _less,
    "<=": lambda left, right: _ordered(left, right) and bool(left <= right),
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _ordered(left, right) and bool(left >= right),
    "in": _in,
    "not in": lambda left, right: not _in(left, right),
}


# -- parsing


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<reference>\$\{[^}]*\})
    |(?P<duration>(?:\d+(?:\.\d+)?(?:ms|[hms]))+(?![\w.]))
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)
    |(?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
    |(?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_DURATION_PART = re.compile(r"([\d.]+)(ms|[hms])")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_CONSTANTS = {"true": True, "false": False, "null": None}
_WORDS = ("and", "or", "not", "in")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while True:
        found = _TOKEN.match(text, position)
        if found is None:
            column = position + len(text[position:]) - len(text[position:].lstrip()) + 1
            raise ExpressionError(_not_understood(text[column - 1 :]), column)
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind) + 1)
        if kind == "end":
            return
        position = found.end()


def _not_understood(rest: str) -> str:
    if rest[0] in "\"'":
        return "this text is never closed"
    if rest.startswith("${"):
        return "this `${` is never closed"
    if rest[0] == "=":
        return "equality is `==`"
    if rest[:2] in ("&&", "||"):
        return f"`{'and' if rest[0] == '&' else 'or'}` is written as a word"
    if rest[0].isdigit():
        return "this is neither a number nor a duration such as `2s` or `1h30m`"
    return f"`{rest[0]}` has no meaning here"


class _Reader:
    """A recursive-descent parser: one token of look-ahead, one method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._either()
        if self._next.kind != "end":
            raise self._unexpected("the condition goes on with `{}`; `and` or `or` join two")
        return expression

    def _either(self) -> Expression:
        return self._joined("or", lambda: self._joined("and", self._negation))

    def _joined(self, word: Literal["and", "or"], part: Callable[[], Expression]) -> Expression:
        operands = [part()]
        while self._takes(word):
            operands.append(part())
        return operands[0] if len(operands) == 1 else Joined(word, tuple(operands))

    def _negation(self) -> Expression:
        if not self._takes("not"):
            return self._comparison()
        self._deeper()
        operand = self._negation()
        self._depth -= 1
        return Not(operand)

    def _comparison(self) -> Expression:
        left = self._operand()
        operator = self._operator()
        if operator is None:
            return left
        right = self._operand()
        if self._next.text in _COMPARE and self._next.kind in ("sign", "name"):
            raise self._unexpected("`{}` can't follow a comparison; `and` joins two")
        return Compared(left, operator, right)

    def _operator(self) -> Comparison | None:
        for sign in ("==", "!=", "<=", ">=", "<", ">"):
            if self._next.kind == "sign" and self._takes(sign):
                return sign
        if self._takes("in"):
            return "in"
        if self._takes("not"):
            if not self._takes("in"):
                raise self._unexpected("`in` must follow `not` here, and not `{}`")
            return "not in"
        return None

    def _operand(self) -> Expression:
        token = self._next
        match token.kind:
            case "text":
                return self._taken(Constant(_ESCAPE.sub(r"\1", token.text[1:-1])))
            case "number":
                return self._taken(Constant(_number(token)))
            case "duration":
                parts = _DURATION_PART.findall(token.text)
                return self._taken(Constant(sum(float(number) * _SECONDS[unit] for number, unit in parts)))
            case "reference":
                return self._taken(_reference(token))
            case "name" if token.text in _CONSTANTS:
                return self._taken(Constant(_CONSTANTS[token.text]))
            case "name" if token.text not in _WORDS:
                return self._taken(Name(tuple(token.text.split(".")), token.column))
        if self._takes("("):
            return self._grouped()
        if self._takes("["):
            return self._listed()
        raise self._unexpected("a value is missing before `{}`")

    def _grouped(self) -> Expression:
        self._deeper()
        expression = self._either()
        self._close(")")
        return expression

    def _listed(self) -> Expression:
        self._deeper()
        items = []
        while self._next.text != "]" or self._next.kind == "text":
            items.append(self._operand())
            if not self._takes(","):
                break
        self._close("]")
        return Listed(tuple(items))

    def _close(self, sign: str) -> None:
        if not self._takes(sign):
            raise self._unexpected(f"`{sign}` is missing before `{{}}`")
        self._depth -= 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"this is nested deeper than {MAX_DEPTH} levels", self._next.column)

    def _takes(self, text: str) -> bool:
        """Consume the next token if it is the sign or word `text`; return whether it was."""
        if self._next.text != text or self._next.kind not in ("sign", "name"):
            return False
        self._next = next(self._tokens)
        return True

    def _taken(self, operand: Expression) -> Expression:
        self._next = next(self._tokens)
        return operand

    def _unexpected(self, message: str) -> ExpressionError:
        token = self._next
        what = message.format(token.text) if token.kind != "end" else message.replace("`{}`", "the end")
        return ExpressionError(what, token.column, max(1, len(token.text)))


def _number(token: _Token) -> int | float:
    try:
        return int(token.text) if re.fullmatch(r"-?\d+", token.text) else float(token.text)
    except ValueError as error:
        raise ExpressionError("this number has too many digits", token.column, len(token.text)) from error


def _reference(token: _Token) -> Reference:
    try:
        return read_reference(token.text[2:-1])
    except ReferenceSyntaxError as error:
        raise ExpressionError(f"{error}: {error.advice}", token.column, len(token.text)) from error
