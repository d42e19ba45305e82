"""Converts values returned by task code to JSON."""
from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import pathlib
from typing import Any


def to_json(value: Any) -> str:
    """Raises ValueError or TypeError, with a sentence, for values that JSON cannot represent."""
    return json.dumps(value, default=_jsonable, allow_nan=False, separators=(",", ":"))


def is_jsonable(value: Any) -> bool:
    try:
        to_json(value)
    except (TypeError, ValueError):
        return False
    return True


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):  # a pydantic model, or ours
        return value.model_dump()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
