"""What a queue pickles is what `multiprocessing` would: whatever was registered there, before and after."""

from __future__ import annotations

import pickle
from multiprocessing.reduction import ForkingPickler
from pathlib import PurePosixPath
from typing import Any

import pytest

from mprun.sharing.queues import pickled


class Registered:
    """Pickled as a path, where multiprocessing's reducers are asked."""


ForkingPickler.register(Registered, lambda obj: (PurePosixPath, ("registered",)))

OBJECTS: dict[str, Any] = {
    "none": None,
    "plain": "text",
    "nested": {"a": [1, (2.5, b"bytes")]},
    "registered": Registered(),
    "registered, inside": [Registered()],
}


@pytest.mark.parametrize("name", OBJECTS)
def test_it_is_what_multiprocessing_would_pickle(name: str) -> None:
    assert pickled(OBJECTS[name]) == bytes(ForkingPickler.dumps(OBJECTS[name], 5))


def test_what_cannot_be_pickled_is_refused() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="local object"):
        pickled([lambda: None])
