"""Frozen dataclasses to JSON values and back, strictly: what does not fit the type is refused."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

T = TypeVar("T")


class CodecError(ValueError):
    """A JSON value does not have the shape that its type asks for."""


def to_json(value: object) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
    """Turn dataclasses, tuples, dicts and plain values into what ``json.dumps`` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CodecError(f"a {type(value).__name__} cannot be written as JSON")


def from_json(kind: type[T], value: object) -> T:
    """Build a ``kind`` from a JSON value; unknown keys and wrong types raise CodecError."""
    return typing.cast("T", _decode(kind, value, kind.__name__))


def _decode(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value, where)
    if origin is Literal:
        return _require(value in get_args(kind), value, where)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, where)
    if origin is dict:
        item_kind = get_args(kind)[1]
        _require(isinstance(value, dict), value, where)
        return {key: _decode(item_kind, item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(typing.cast("type", kind), value, where)
    if kind is float:
        _require(isinstance(value, int | float) and not isinstance(value, bool), value, where)
        return float(value)
    if kind is type(None):
        return _require(value is None, value, where)
    _require(isinstance(value, kind) and (kind is bool or not isinstance(value, bool)), value, where)
    return value


def _decode_union(kinds: tuple[Any, ...], value: object, where: str) -> object:
    for kind in kinds:
        try:
            return _decode(kind, value, where)
        except CodecError:
            continue
    raise CodecError(f"{where}: {value!r} fits none of its types")


def _decode_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[object, ...]:  # noqa: ANN401
    _require(isinstance(value, list | tuple), value, where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_decode(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    _require(len(value) == len(kinds), value, where)
    return tuple(
        _decode(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_dataclass(kind: type, value: Any, where: str) -> object:  # noqa: ANN401
    _require(isinstance(value, dict), value, where)
    hints = _hints(kind)
    unknown = set(value) - set(hints)
    if unknown:
        raise CodecError(f"{where}: unknown {sorted(unknown)}")
    required = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if missing := required - set(value):
        raise CodecError(f"{where}: missing {sorted(missing)}")
    return kind(**{name: _decode(hints[name], item, f"{where}.{name}") for name, item in value.items()})


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _require(condition: bool, value: Any, where: str) -> Any:  # noqa: ANN401
    if not condition:
        raise CodecError(f"{where}: {value!r} does not fit")
    return value
