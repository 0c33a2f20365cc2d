"""Values that are stored or sent: written as JSON, and read back strictly, so that a misfit is refused."""

from __future__ import annotations

import json
from typing import Any, TypeVar, dataclass_transform, overload

import msgspec

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A frozen value that is stored or sent; one of several kinds carries a tag that says which it is.

    Records hold no cycles, so the collector need not look at them: an answer holds ten thousand.
    """


def to_json(value: object) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
    """Turn records, dataclasses and plain values into what ``json.dumps`` takes."""
    return _as_lists(msgspec.to_builtins(value, str_keys=True, enc_hook=_plain))


def to_text(value: object) -> str:
    """Return a value as JSON on one line; a number that is not finite becomes null."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except UnicodeEncodeError:  # a path whose name is not UTF-8, which Python writes with an escape
        return json.dumps(to_json(value), separators=(",", ":"))


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
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # no JSON, or Python's escape of a path whose name is not UTF-8
        return from_json(kind, json.loads(text))


def _as_lists(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _as_lists(item) for key, item in value.items()}
    return [_as_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _plain(value: object) -> float:
    if isinstance(value, float):
        return float(value)  # NumPy's float64 is one, and msgspec asks for the very type
    raise NotImplementedError(f"a {type(value).__name__} cannot be written as JSON")
