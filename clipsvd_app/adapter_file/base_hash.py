"""One hash for equal weights, whatever file they are in.

For every floating-point tensor, in the order of the UTF-8 bytes of its name, SHA-256 takes the
length of the name, the name, the number of dimensions and each dimension (every count as 8 bytes
little-endian), and then the values as little-endian fp32 in C order. Integer tensors are position
tables and counters that some versions of a library store and others do not: they are left out.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.adapter_file.container import TensorEntry, read_container, unreadable
from clipsvd_app.files import file_state, keep
from clipsvd_app.settings import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

# Part of the note's name: to be raised when the hash is computed differently, so that old notes are not used.
_VERSION = 2
# Numbers read at a time, 16 MB as fp32: a large model is never held in memory.
_CHUNK = 1 << 22
# 65 samples of 16 kB, 1 MB in all, are read in a moment from files of any size.
_SAMPLES, _SAMPLE_BYTES = 64, 1 << 14
_FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}


def canonical_sha256(safetensors_path: Path) -> str:
    """Return the canonical hash of a safetensors file; 784 MB take seconds once, then nothing.

    Tensors are streamed in pieces of 4 M numbers. The result is noted in the cache folder under path, state
    and samples of the file.
    """
    try:
        note = cache_folder() / "base_hashes" / _fingerprint(safetensors_path)
    except OSError as error:
        raise unreadable(safetensors_path, error) from error
    if remembered := _remembered(note):
        return remembered
    container = read_container(safetensors_path)
    entries = {name: entry for name, entry in container.tensors.items() if entry.dtype in _FLOATS}
    shapes = {name: entry.shape for name, entry in entries.items()}
    digest = hash_tensors(shapes, lambda name: _pieces(safetensors_path, entries[name]))
    keep(note, digest.encode())
    return digest


def hash_tensors(
    shapes: Mapping[str, tuple[int, ...]], pieces: Callable[[str], Iterable[NDArray[np.float32]]]
) -> str:
    """Return the canonical hash of tensors that come in pieces of consecutive fp32 values."""
    digest = hashlib.sha256()
    for name in sorted(shapes, key=lambda name: name.encode("utf-8")):
        raw, shape = name.encode("utf-8"), shapes[name]
        digest.update(struct.pack("<Q", len(raw)) + raw)
        digest.update(struct.pack(f"<{1 + len(shape)}Q", len(shape), *shape))
        for piece in pieces(name):
            digest.update(np.ascontiguousarray(piece, dtype="<f4").data)
    return digest.hexdigest()


def _pieces(path: Path, entry: TensorEntry) -> Iterator[NDArray[np.float32]]:
    stored = np.dtype(_FLOATS[entry.dtype])
    with path.open("rb") as file:
        file.seek(entry.begin)
        left = (entry.end - entry.begin) // stored.itemsize
        while left:
            values = np.frombuffer(file.read(min(left, _CHUNK) * stored.itemsize), dtype=stored)
            left -= values.size
            yield _as_fp32(values, entry.dtype)


def _as_fp32(values: NDArray[np.generic], dtype: str) -> NDArray[np.float32]:
    if dtype == "BF16":
        # BF16 is the upper half of an fp32 number.
        return (values.astype("<u4") << 16).view("<f4")
    # An fp64 value beyond fp32 becomes infinite here, as in the model itself.
    with np.errstate(over="ignore"):
        return values.astype("<f4", copy=False)


def _fingerprint(path: Path) -> str:
    """Hash path, state and samples of a file.

    Size and time alone do not tell two files apart: archives and copying programs keep a file's time.
    """
    state = (_VERSION, str(path.resolve()), *file_state(path))
    digest = hashlib.sha256(repr(state).encode())
    size = state[2]
    with path.open("rb") as file:
        for place in range(_SAMPLES + 1):
            file.seek(max(0, size - _SAMPLE_BYTES) * place // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _remembered(note: Path) -> str | None:
    try:
        text = note.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return text if len(text) == 64 and set(text) <= set("0123456789abcdef") else None
