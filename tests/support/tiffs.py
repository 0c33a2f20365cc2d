"""TIFF files written tag by tag, little-endian unless told otherwise."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_FORMS = {2: "s", 3: "H", 4: "I", 7: "s", 12: "d"}


def page(pixels: np.ndarray, photometric: int = 1, data: bytes | None = None, **tags) -> tuple[bytes, dict]:
    """Return the data and tags of one page. tags: t254=(kind, values) and the like, over what is usual."""
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    content = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes() if data is None else data
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    found = {
        256: (4, [pixels.shape[1]]),
        257: (4, [pixels.shape[0]]),
        258: (3, [8 * pixels.dtype.itemsize] * samples),
        259: (3, [1]),
        262: (3, [photometric]),
        273: (4, [0]),
        277: (3, [samples]),
        278: (4, [pixels.shape[0]]),
        279: (4, [len(content)]),
        339: (3, [kind] * samples),
    }
    return content, found | {int(name[1:]): value for name, value in tags.items()}


def tiff(*pages: tuple[bytes, dict], behind: bytes = b"") -> bytes:
    """Return a file of pages, the directories first and `behind` after all."""
    at = 8
    sizes = [
        2 + 12 * len(tags) + 4 + sum(_padded(*value) for value in tags.values()) for _data, tags in pages
    ]
    starts = [at + sum(sizes[:n]) for n in range(len(pages))]
    data_at = at + sum(sizes)
    directories, data = b"", b""
    for number, (content, tags) in enumerate(pages):
        placed = {273: (4, [data_at + len(data)]), **{k: v for k, v in tags.items() if k != 273}}
        following = starts[number + 1] if number + 1 < len(pages) else 0
        directories += _directory(starts[number], dict(sorted(placed.items())), following)
        data += content
    return b"II*\0" + struct.pack("<I", at) + directories + data + behind


def _padded(kind, values) -> int:
    size = len(_packed(kind, values))
    return 0 if size <= 4 else size


def _packed(kind, values) -> bytes:
    if isinstance(values, bytes):
        return values
    return struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)


def _directory(start, tags, following) -> bytes:
    table, extra = struct.pack("<H", len(tags)), b""
    beside = start + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in tags.items():
        packed = _packed(kind, values)
        count = len(values)
        table += struct.pack("<HHI", tag, kind, count)
        table += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", beside + len(extra))
        extra += packed if len(packed) > 4 else b""
    return table + struct.pack("<I", following) + extra
