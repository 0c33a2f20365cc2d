"""Frozen dataclasses to JSON values and back, strictly: what does not fit the type is refused."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

T = TypeVar("T")
Reader = Callable[[Any], Any]
"""Takes a JSON value and returns what it stands for, or raises _MisfitError."""
_PLAIN = frozenset({str, int, float, bool, type(None)})


class CodecError(ValueError):
    """A JSON value does not have the shape that its type asks for."""


class _MisfitError(Exception):
    """What does not fit; the place is put together on the way out, from the inside."""

    def __init__(self, said: str, where: str = "") -> None:
        super().__init__(said)
        self.said, self.where = said, where

    def inside(self, where: str) -> _MisfitError:
        return _MisfitError(self.said, where + self.where)


def to_json(value: object) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
    """Turn dataclasses, tuples, dicts and plain values into what ``json.dumps`` takes."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if names := _field_names(kind):  # type: ignore[arg-type]
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, bool | int | float | str):
        return value
    raise CodecError(f"a {kind.__name__} cannot be written as JSON")


def from_json(kind: type[T], value: object) -> T:
    """Build a ``kind`` from a JSON value; unknown keys and wrong types raise CodecError."""
    try:
        return typing.cast("T", _reader(kind)(value))  # type: ignore[arg-type]
    except _MisfitError as misfit:
        raise CodecError(f"{kind.__name__}{misfit.where}: {misfit.said}") from None


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@functools.cache  # types are looked through once; a result holds many thousands of values of few types
def _reader(kind: Any) -> Reader:  # noqa: ANN401
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union_reader(tuple(map(_reader, inner)))
    if origin is Literal:
        return _checked(lambda value: value in inner)
    if origin is tuple:
        return _list_reader(inner[0]) if inner[1:] == (Ellipsis,) else _tuple_reader(inner)
    if origin is dict:
        return _dict_reader(_reader(inner[1]))
    if dataclasses.is_dataclass(kind):
        return _dataclass_reader(typing.cast("type", kind))
    if kind is float:
        return _read_float
    if kind is type(None):
        return _checked(lambda value: value is None)
    if kind is bool:
        return _checked(lambda value: isinstance(value, bool))
    return _checked(lambda value: isinstance(value, kind) and not isinstance(value, bool))


def _checked(fits: Callable[[Any], bool]) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if not fits(value):
            raise _does_not_fit(value)
        return value

    return read


def _read_float(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _does_not_fit(value)


def _union_reader(readers: tuple[Reader, ...]) -> Reader:
    def read(value: object) -> object:
        for reader in readers:
            try:
                return reader(value)
            except _MisfitError:
                continue
        raise _MisfitError(f"{value!r} fits none of its types")

    return read


def _list_reader(kind: Any) -> Reader:  # noqa: ANN401
    reader = _reader(kind)
    alike = {kind} if kind in _PLAIN else set()

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list | tuple):
            raise _does_not_fit(value)
        if alike.issuperset(map(type, value)):  # most of what is read: numbers that need no second look
            return tuple(value)
        try:
            return tuple(map(reader, value))
        except _MisfitError:
            return tuple(_read_at(reader, item, f"[{place}]") for place, item in enumerate(value))

    return read


def _tuple_reader(kinds: tuple[Any, ...]) -> Reader:
    readers = tuple(map(_reader, kinds))

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(readers):
            raise _does_not_fit(value)
        pairs = enumerate(zip(readers, value, strict=True))
        return tuple(_read_at(reader, item, f"[{place}]") for place, (reader, item) in pairs)

    return read


def _dict_reader(reader: Reader) -> Reader:
    def read(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise _does_not_fit(value)
        return {key: _read_at(reader, item, f".{key}") for key, item in value.items()}

    return read


def _dataclass_reader(kind: type) -> Reader:
    readers: dict[str, Reader] = {}
    required = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }

    def read(value: object) -> object:
        if not readers:  # at first use, so that a type may hold itself
            readers.update({name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()})
        if not isinstance(value, dict):
            raise _does_not_fit(value)
        if unknown := value.keys() - readers.keys():
            raise _MisfitError(f"unknown {sorted(unknown)}")
        if missing := required - value.keys():
            raise _MisfitError(f"missing {sorted(missing)}")
        return kind(**{name: _read_at(readers[name], item, f".{name}") for name, item in value.items()})

    return read


def _read_at(reader: Reader, value: object, where: str) -> object:
    try:
        return reader(value)
    except _MisfitError as misfit:
        raise misfit.inside(where) from None


def _does_not_fit(value: object) -> _MisfitError:
    return _MisfitError(f"{value!r} does not fit")
