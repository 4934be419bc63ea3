"""The base of every level of a workflow file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_core import PydanticCustomError

NO_OTHER_NAMES: dict[str, Any] = {"additionalProperties": False}  # of a mapping whose names have a pattern


class Written(BaseModel):
    """Unknown keys are refused, types are exact, and a key without a value is a mistake."""

    # Built when first used: a file is validated as a whole, and few of its levels ever by themselves.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nothing(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("nothing", "")
        return value
