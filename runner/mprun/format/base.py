"""The base of the models of all sections of a workflow file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_core import PydanticCustomError

NO_OTHER_NAMES: dict[str, Any] = {"additionalProperties": False}  # for a mapping whose names must match a pattern


class Written(BaseModel):
    """Rejects unknown keys and keys without a value, and takes no type for another one."""

    # A validator is built when it is first used. A file is validated as a whole, so few sections ever need their own.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nothing(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("nothing", "")
        return value
