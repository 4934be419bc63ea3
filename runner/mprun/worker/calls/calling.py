"""Makes the arguments of a call from its item, as the pool's kind of call says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mprun.errors.exceptions import ConversionError
from mprun.plan.child_spec import PoolCall

if TYPE_CHECKING:
    from mprun.sources.decoding import Decoding

Arguments = tuple[Sequence[Any], Mapping[str, Any]]


def arguments_of(call: PoolCall, kwargs: Mapping[str, Any]) -> Callable[[Any], Arguments]:
    """Return a function from an item to the (args, kwargs) of its call. `kwargs` are the same for all tasks."""

    def each(item: Any) -> Arguments:
        return (item,), kwargs

    def starred(item: Any) -> Arguments:
        return ((), {**kwargs, **item}) if isinstance(item, Mapping) else (item, kwargs)

    def named(item: Any) -> Arguments:
        return (), {**kwargs, **item}

    def as_given(item: Any) -> Arguments:
        return item if isinstance(item, tuple) and len(item) == 2 else ((item,), {})

    forms = {"starmap": starred, "matrix": named, "zip": named, "apply": as_given}
    return forms.get(call, each)


def by_call(call: PoolCall, function: Callable[..., Any], kwargs: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return a function that makes the call for one item.

    For a plain `map` without `kwargs`, it is `function` itself, which saves a call per task.
    """
    if call in ("map", "imap", "imap_unordered"):
        return function if not kwargs else lambda item: function(item, **kwargs)
    of = arguments_of(call, kwargs)

    def make_call(item: Any) -> Any:
        args, named = of(item)
        return function(*args, **named)

    return make_call


def decoded(make_call: Callable[[Any], Any], load: Callable[[Any], Any], decoding: Decoding) -> Callable[[Any], Any]:
    """Return `make_call` for items that `load` makes from rows. A conversion error gets the row's place in the file."""

    def decode_and_call(item: Any) -> Any:
        try:
            return make_call(load(item))
        except ConversionError as error:
            raise ConversionError(f"{decoding.place(item)}: {error}") from None

    return decode_and_call
