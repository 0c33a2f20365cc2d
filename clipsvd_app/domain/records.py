"""Values that are stored or sent: written as JSON, and read back strictly, so that a misfit is refused."""

from __future__ import annotations

import json
from typing import Any, TypeVar, dataclass_transform, overload

import msgspec

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen value that is stored or sent; one of several kinds carries a tag that says which it is."""


def to_json(value: object) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
    """Turn records, dataclasses and plain values into what ``json.dumps`` takes."""
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_plain)


def to_text(value: object) -> str:
    """Return a value as JSON on one line.

    Python's own writer: msgspec's would write a NaN as null, and no path whose name is not UTF-8.
    """
    return json.dumps(to_json(value), separators=(",", ":"), allow_nan=False)


@overload
def from_json(kind: type[T], value: object) -> T: ...
@overload
def from_json(kind: Any, value: object) -> Any: ...  # noqa: ANN401 - a union of records is no type
def from_json(kind: Any, value: object) -> Any:
    """Build a ``kind`` from a JSON value; unknown fields and wrong types raise ValueError."""
    return msgspec.convert(value, kind)


@overload
def from_text(kind: type[T], text: str | bytes) -> T: ...
@overload
def from_text(kind: Any, text: str | bytes) -> Any: ...  # noqa: ANN401
def from_text(kind: Any, text: str | bytes) -> Any:
    """Read a ``kind`` from JSON; ValueError if it is none."""
    return from_json(kind, json.loads(text))


def _plain(value: object) -> float:
    if isinstance(value, float):
        return float(value)  # NumPy's float64 is one, and msgspec asks for the very type
    raise NotImplementedError(f"a {type(value).__name__} cannot be written as JSON")
