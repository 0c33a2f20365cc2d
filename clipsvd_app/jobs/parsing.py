"""JSON objects that say which kind of dataclass they are."""

from __future__ import annotations

import json
from typing import TypeVar

from clipsvd_app.domain.codec import CodecError

T = TypeVar("T")


def json_object(text: str) -> dict[str, object]:
    """Parse a JSON object; CodecError if it is none."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CodecError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CodecError("not a JSON object")
    return value


def pick(kinds: dict[str, type[T]], name: object) -> type[T]:
    """Return the kind of this name; CodecError if there is none."""
    if not isinstance(name, str) or name not in kinds:
        raise CodecError(f"unknown kind {name!r}")
    return kinds[name]
