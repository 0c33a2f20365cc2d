"""The safetensors container, parsed strictly by our own code before any library reads the file.

Layout: 8 bytes little-endian header length, a JSON object, then the tensors' bytes. Each entry of
the object names a dtype, a shape and the [begin, end) of its bytes; ``__metadata__`` maps strings
to strings. See https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeGuard

from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

METADATA_KEY = "__metadata__"
# The limit of the safetensors library itself.
LARGEST_HEADER_OF_ANY_MODEL = 100_000_000
# Stated in docs/sigma-adapter.md. The document of an adapter has five levels.
_DEEPEST = 16
# Weights have two, those of convolutions four.
_MOST_DIMENSIONS = 8
# Bytes per number; files with any other type are refused.
_BYTES_OF = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a file: ``begin`` and ``end`` are byte positions in it."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Container:
    """The header of a safetensors file."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]


def read_container(path: Path) -> Container:
    """Read and check the header of a safetensors file; no tensor is read.

    Refuses a header over 100 MB, JSON that is not strict or repeats a key, and entries that overlap,
    leave gaps, run past the end, or do not have the size that they state.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = header_length(file.read(8), size, LARGEST_HEADER_OF_ANY_MODEL)
            header = file.read(length)
    except OSError as error:
        raise unreadable(path, error) from error
    return container_of(header, size)


def header_length(start: bytes, size: int, largest: int) -> int:
    """Return the length of the header, stated in the first 8 bytes of a file of ``size`` bytes."""
    length = int(struct.unpack("<Q", start)[0]) if len(start) == 8 else 0
    # "{}" is the shortest JSON object.
    if not 2 <= length <= min(largest, size - 8):
        refuse(f"its header states an impossible length of {length:,} bytes")
    return length


def container_of(header: bytes, size: int) -> Container:
    """Check the header of a file of ``size`` bytes."""
    value = strict_json(header, "its header")
    metadata = _metadata(value.pop(METADATA_KEY, {}))
    offset = 8 + len(header)
    entries = {name: _entry(name, entry, offset=offset) for name, entry in value.items()}
    _require_exact_cover(entries, begin=offset, end=size)
    return Container(entries, metadata)


def strict_json(raw: bytes | str, what: str) -> dict[str, object]:
    """Parse a JSON object strictly: no repeated key, no NaN, no infinity, UTF-8.

    Also refused are deep nesting and lone surrogates, which cannot be written as UTF-8.
    """
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        value = json.loads(
            text, object_pairs_hook=_without_repeats, parse_constant=_no_constant, parse_float=_finite
        )
        _require_shallow(value)
        # A lone surrogate can only come from such an escape; encoding it raises UnicodeEncodeError, a
        # ValueError.
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        refuse(f"{what} is not strict JSON", cause=error)
    if not isinstance(value, dict):
        refuse(f"{what} is not a JSON object")
    return value


def refuse(what: str, *, cause: BaseException | None = None) -> NoReturn:
    """Refuse a damaged or foreign file in one sentence; text quoted from it is made plain."""
    raise UserError(
        f"The file was rejected because {plain(what)}.",
        remedy="Download or export it again.",
        code="adapter_refused",
    ) from cause


def unreadable(path: Path, error: OSError) -> UserError:
    """Return the refusal of a file that the system cannot read."""
    return UserError(
        f"“{plain(path.name)}” cannot be read: {plain(error.strerror or 'the system refused')}.",
        remedy="Check that the file exists and that you have permission to open it.",
        code="unreadable_file",
    )


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _require_shallow(value: object) -> None:
    """Refuse deep nesting, on which later steps that walk the value would run out of stack."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _metadata(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        refuse("its metadata is not a list of texts")
    return value


def _entry(name: str, value: object, *, offset: int) -> TensorEntry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        refuse(f"the entry of tensor “{name[:80]}” is malformed")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BYTES_OF:
        refuse(f"tensor “{name[:80]}” has an unknown number type")
    if not _are_counts(shape, _MOST_DIMENSIONS) or not _are_counts(offsets, 2) or len(offsets) != 2:
        refuse(f"tensor “{name[:80]}” has no proper shape or place")
    entry = TensorEntry(dtype, tuple(shape), offset + offsets[0], offset + offsets[1])
    if entry.end - entry.begin != math.prod(entry.shape) * _BYTES_OF[dtype]:
        refuse(f"tensor “{name[:80]}” is not as large as its shape says")
    return entry


def _are_counts(value: object, most: int) -> TypeGuard[list[int]]:
    if not isinstance(value, list) or len(value) > most:
        return False
    # Not isinstance: True is an int too. 2^48 bytes are beyond any file, and keep the products above small.
    return all(type(item) is int and 0 <= item < 2**48 for item in value)


def _require_exact_cover(entries: dict[str, TensorEntry], *, begin: int, end: int) -> None:
    """Refuse gaps and overlaps: if every byte belongs to one tensor, nothing else can hide in the file."""
    for entry in sorted(entries.values(), key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != begin:
            refuse("its tensors overlap or leave gaps")
        begin = entry.end
    if begin != end:
        refuse("it is truncated or has bytes after its last tensor")
