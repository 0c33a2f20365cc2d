"""Pixels of one TIFF page, exactly as they are stored; in a worker only.

libtiff, through Pillow, only decompresses. It gets one page, rebuilt as 8-bit grey, so that all depths,
signs, planes and tiles are assembled here in one way: Pillow has no mode for most of them.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app.imaging.formats import tiff_directory as tags
from clipsvd_app.imaging.formats.tiff_pages import frame_bytes
from clipsvd_app.imaging.guard import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clipsvd_app.imaging.formats.tiff_directory import Page
    from clipsvd_app.imaging.values import Array

# PhotometricInterpretation (TIFF 6.0, section 8); compressions are libtiff's numbers.
GREY, RGB, PALETTE, CMYK, YCBCR, LAB = (0, 1), 2, 3, 5, 6, 8
_BYTEWISE = {1, 5, 8, 32946, 32773, 34925, 50000}
_BY_PILLOW = {2, 3, 4, 7}
_COMPRESSIONS = {
    6: "old-style JPEG",
    32809: "ThunderScan compression",
    33003: "JPEG 2000 inside TIFF",
    33004: "JPEG 2000 inside TIFF",
    33005: "JPEG 2000 inside TIFF",
    34712: "JPEG 2000 inside TIFF",
    34676: "SGI LogLuv compression",
    34677: "SGI LogLuv compression",
    34887: "LERC compression",
    34933: "PNG inside TIFF",
    34934: "JPEG XR inside TIFF",
    22610: "JPEG XR inside TIFF",
    50001: "WebP inside TIFF",
    50002: "JPEG XL inside TIFF",
    52546: "JPEG XL inside TIFF",
}
_RESAVE = "Save it as an uncompressed or LZW TIFF."
# SampleFormat (TIFF 6.0, section 19).
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
# JPEG tables, fax options, and how YCbCr and inks are laid out: what a codec needs beside its data.
_CODEC_TAGS = (292, 293, 332, 334, 347, 529, 530, 531, 532, tags.FILL_ORDER, tags.EXTRA_SAMPLES)


def bits_of(page: Page) -> int:
    """Return the bits of a sample."""
    return page.whole(tags.BITS, 1)


def photometric_of(page: Page) -> int:
    """Return the photometric interpretation; where it is absent, the number of samples decides."""
    return page.whole(tags.PHOTOMETRIC, RGB if samples_of(page) >= 3 else 1)


def samples_of(page: Page) -> int:
    """Return the samples of a pixel."""
    return page.whole(tags.SAMPLES, 1)


def is_bytewise(page: Page) -> bool:
    """Say whether only the compression is left to libtiff."""
    in_colours = photometric_of(page) in (CMYK, YCBCR, LAB)
    return page.whole(tags.COMPRESSION, 1) in _BYTEWISE and not in_colours


def refuse_unsupported(path: Path, page: Page) -> None:
    """Refuse what no library here decodes, by its name."""
    compression, bits, samples = page.whole(tags.COMPRESSION, 1), bits_of(page), samples_of(page)
    photometric, kind = photometric_of(page), page.whole(tags.SAMPLE_FORMAT, _UNSIGNED)
    if compression not in _BYTEWISE | _BY_PILLOW:
        named = _COMPRESSIONS.get(compression, f"TIFF compression {compression}")
        raise refusals.unsupported(path, f"uses {named}", _RESAVE)
    if photometric not in (*GREY, RGB, PALETTE, 4, CMYK, YCBCR, LAB):
        what = "raw camera data" if photometric in (32803, 34892) else f"colour space {photometric} of TIFF"
        raise refusals.unsupported(path, f"contains {what}", "Export it as RGB or greyscale.")
    if photometric in GREY and samples > 2:
        raise refusals.unsupported(
            path,
            f"has {samples} channels that are not colours",
            "Save each channel as greyscale, or as RGB.",
        )
    if kind in (5, 6):
        raise refusals.unsupported(path, "contains complex numbers", "Save magnitude or phase.")
    if len(set(page.numbers(tags.BITS))) > 1:
        raise refusals.unsupported(path, "has samples of different bit depths", "Save it with one bit depth.")
    if kind == _FLOAT and bits not in (16, 32, 64):
        raise refusals.unsupported(
            path, f"contains {bits}-bit floating-point numbers", "Save it with 32 bits."
        )
    if photometric == RGB and (kind != _UNSIGNED or bits > 32):
        raise refusals.unsupported(
            path, "has colours that are not unsigned integers", "Save it as 8-bit RGB."
        )
    if not is_bytewise(page) and (bits not in (1, 8) and not (photometric == CMYK and bits == 16)):
        raise refusals.unsupported(path, f"has {bits} bits per sample with this compression", _RESAVE)
    if is_bytewise(page) and (bits > 64 or (bits > 32 and bits != 64)):
        raise refusals.unsupported(path, f"has {bits} bits per sample", _RESAVE)


def stored_page(page: Page, behind: int = 0) -> Array:
    """Return (rows, columns[, samples]) as stored. behind: which frame after the page's own."""
    if not is_bytewise(page):
        return np.asarray(pillow_page(page))
    samples, planar = samples_of(page), page.whole(tags.PLANAR, 1) == 2
    planes = samples if planar else 1
    each = samples // planes
    parts = [_plane(page, plane, planes, each, behind) for plane in range(planes)]
    pixels = parts[0] if planes == 1 else np.concatenate(parts, axis=2)
    return pixels[:, :, 0] if samples == 1 else pixels


def pillow_page(page: Page) -> Image.Image:
    """Return a page as Pillow decodes it, neither rotated nor inverted."""
    photometric = max(1, photometric_of(page))
    wanted = {
        tags.WIDTH: [page.whole(tags.WIDTH, 0)],
        tags.LENGTH: [page.whole(tags.LENGTH, 0)],
        tags.COMPRESSION: [page.whole(tags.COMPRESSION, 1)],
        tags.PHOTOMETRIC: [photometric],
        tags.SAMPLES: [samples_of(page)],
        tags.PLANAR: [page.whole(tags.PLANAR, 1)],
        tags.PREDICTOR: [page.whole(tags.PREDICTOR, 1)],
    }
    if page.entries.get(tags.TILE_OFFSETS):
        wanted |= {tag: [page.whole(tag, 0)] for tag in (tags.TILE_WIDTH, tags.TILE_LENGTH)}
    else:
        wanted[tags.ROWS_PER_STRIP] = [_rows_per_strip(page)]
    copied = {tag: page.entries[tag].kind for tag in _CODEC_TAGS if tag in page.entries}
    raw = {tag: (kind, page.raw(tag)) for tag, kind in copied.items()}
    bits = np.full(samples_of(page), bits_of(page), np.dtype("u2").newbyteorder(page.order)).tobytes()
    return _opened(page, wanted, {**raw, tags.BITS: (3, bits)}, _segments(page))


def _plane(page: Page, plane: int, planes: int, samples: int, behind: int) -> Array:
    """Return (rows, columns, samples) of one plane, or of all where they are not apart."""
    rows, columns = page.whole(tags.LENGTH, 0), page.whole(tags.WIDTH, 0)
    tiled = tags.TILE_OFFSETS in page.entries
    wide = page.whole(tags.TILE_WIDTH, 0) if tiled else columns
    high = page.whole(tags.TILE_LENGTH, 0) if tiled else _rows_per_strip(page)
    if min(rows, columns, wide, high) < 1:
        raise ValueError("an image without pixels")
    across, down = -(-columns // wide), -(-rows // high)
    row_bytes = -(-wide * samples * bits_of(page) // 8)
    segments = _segments(page, behind)
    if len(segments) < across * down * planes:
        raise ValueError("a page with too few strips or tiles")
    own = segments[plane * across * down :][: across * down]
    height = down * high if tiled else rows
    content = _bytes(page, own, (height, across * row_bytes), (high, row_bytes) if tiled else (high, 0))
    parts = [
        _numbers(page, np.ascontiguousarray(content[:, n * row_bytes :][:, :row_bytes]), (wide, samples))
        for n in range(across)
    ]
    whole = parts[0] if across == 1 else np.concatenate(parts, axis=1)
    return whole[:rows, :columns]


def _bytes(page: Page, segments: Sequence[bytes], size: tuple[int, int], tile: tuple[int, int]) -> Array:
    """Return (height, row bytes) uint8 with the compression undone."""
    compression = page.whole(tags.COMPRESSION, 1)
    if compression == 1 and not tile[1] and page.whole(tags.FILL_ORDER, 1) == 1:
        needed = size[0] * size[1]
        return np.frombuffer(b"".join(segments), np.uint8, needed).reshape(size)
    wanted = {
        tags.WIDTH: [size[1]],
        tags.LENGTH: [size[0]],
        tags.COMPRESSION: [compression],
        tags.PHOTOMETRIC: [1],
        tags.SAMPLES: [1],
        tags.FILL_ORDER: [page.whole(tags.FILL_ORDER, 1)],
    }
    wanted |= (
        {tags.TILE_WIDTH: [tile[1]], tags.TILE_LENGTH: [tile[0]]}
        if tile[1]
        else {tags.ROWS_PER_STRIP: [tile[0]]}
    )
    eight = np.array([8], np.dtype("u2").newbyteorder(page.order)).tobytes()
    return np.asarray(_opened(page, wanted, {tags.BITS: (3, eight)}, segments))


def _numbers(page: Page, content: Array, size: tuple[int, int]) -> Array:
    """Return (rows, columns, samples) of (rows, bytes), the predictor undone (TIFF 6.0, section 14)."""
    columns, samples = size
    bits, kind = bits_of(page), page.whole(tags.SAMPLE_FORMAT, _UNSIGNED)
    predictor = page.whole(tags.PREDICTOR, 1) if page.whole(tags.COMPRESSION, 1) != 1 else 1
    if predictor == 3 and kind == _FLOAT:
        return _unshuffled(content, columns, samples, bits)
    if bits not in (8, 16, 32, 64):
        return _unpacked(content, columns * samples, bits, signed=kind == _SIGNED).reshape(
            -1, columns, samples
        )
    letter = {_SIGNED: "i", _FLOAT: "f"}.get(kind, "u")
    stored = content.view(np.dtype(f"{letter}{bits // 8}").newbyteorder(page.order))
    pixels = stored.astype(stored.dtype.newbyteorder("<"), copy=False).reshape(-1, columns, samples)
    if predictor == 2 and letter != "f":
        return np.cumsum(pixels, axis=1, dtype=pixels.dtype)
    return pixels


def _unshuffled(content: Array, columns: int, samples: int, bits: int) -> Array:
    """Undo the floating-point predictor (Adobe Photoshop TIFF Technical Note 3)."""
    lanes = content.reshape(len(content), -1, samples)
    planes = np.cumsum(lanes, axis=1, dtype=np.uint8).reshape(len(content), bits // 8, -1)
    values = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(f">f{bits // 8}")
    return values.astype(f"<f{bits // 8}").reshape(-1, columns, samples)


def _unpacked(content: Array, values: int, bits: int, *, signed: bool) -> Array:
    """Return (rows, values) of samples that share bytes, row by row to bound the memory."""
    kind = np.uint8 if bits < 8 else np.uint16 if bits < 16 else np.uint32
    weights = (1 << np.arange(bits - 1, -1, -1, dtype=np.uint32)).astype(np.uint32)
    found = np.empty((len(content), values), np.int32 if signed else kind)
    for row, packed in enumerate(content):
        ones = np.unpackbits(packed, count=values * bits).reshape(values, bits)
        numbers = ones @ weights
        found[row] = (
            numbers.astype(np.int64) - ((numbers >> bits - 1).astype(np.int64) << bits) if signed else numbers
        )
    return found


def _segments(page: Page, behind: int = 0) -> list[bytes]:
    """Return the strips or tiles of a page as they lie in the file."""
    tiled = tags.TILE_OFFSETS in page.entries
    offsets = page.numbers(tags.TILE_OFFSETS if tiled else tags.STRIP_OFFSETS)
    lengths = page.numbers(tags.TILE_BYTES if tiled else tags.STRIP_BYTES)
    if page.whole(tags.COMPRESSION, 1) == 1 and not tiled and (behind or not lengths):
        size = frame_bytes(page)  # asked before the seek, as it reads too
        page.file.seek(int(offsets[0]) + behind * size)
        return _cut_into_strips(page, page.file.read(size), len(offsets))
    found = []
    for offset, length in zip(offsets, lengths, strict=True):
        page.file.seek(int(offset))
        found.append(page.file.read(int(length)))
        if len(found[-1]) < length:
            raise EOFError("a strip or tile is beyond the end of the file")
    return found


def _cut_into_strips(page: Page, content: bytes, count: int) -> list[bytes]:
    if count == 1:
        return [content]
    length = -(-len(content) // count)
    if page.whole(tags.PLANAR, 1) == 1:
        length = frame_bytes_of_rows(page)
    return [content[start : start + length] for start in range(0, len(content), length)]


def frame_bytes_of_rows(page: Page) -> int:
    """Return the bytes of a whole strip that is not compressed."""
    return -(-page.whole(tags.WIDTH, 0) * samples_of(page) * bits_of(page) // 8) * _rows_per_strip(page)


def _rows_per_strip(page: Page) -> int:
    rows = page.whole(tags.LENGTH, 0)
    return min(rows, page.whole(tags.ROWS_PER_STRIP, rows)) or rows


def _opened(
    page: Page,
    numbers: Mapping[int, Sequence[int]],
    raw: Mapping[int, tuple[int, bytes]],
    parts: Sequence[bytes],
) -> Image.Image:
    """Return a page, rebuilt as a file of its own, as Pillow decodes it."""
    content = io.BytesIO(_rebuilt(page.order, numbers, raw, parts))
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # it counts bytes here; our own limit of pixels was asked before
    try:
        image = Image.open(content, formats=("TIFF",))
        image.load()
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    return image


def _rebuilt(
    order: str,
    numbers: Mapping[int, Sequence[int]],
    raw: Mapping[int, tuple[int, bytes]],
    parts: Sequence[bytes],
) -> bytes:
    tiled = tags.TILE_WIDTH in numbers
    # 8 bytes of header; an entry takes 12.
    at, lengths = 8, [len(part) for part in parts]
    offsets = [at + sum_ for sum_ in np.cumsum([0, *lengths[:-1]]).tolist()]
    both = {
        (tags.TILE_OFFSETS if tiled else tags.STRIP_OFFSETS): offsets,
        (tags.TILE_BYTES if tiled else tags.STRIP_BYTES): lengths,
    }
    longs = {tag: (4, struct.pack(f"{order}{len(v)}I", *v)) for tag, v in {**numbers, **both}.items()}
    entries = sorted({**longs, **raw}.items())
    size = sum(lengths)
    directory = at + size + size % 2
    beside = directory + 2 + 12 * len(entries) + 4
    table, extra = struct.pack(order + "H", len(entries)), b""
    for tag, (kind, content) in entries:
        count = len(content) // {3: 2, 4: 4, 5: 8}.get(kind, 1)
        table += struct.pack(order + "HHI", tag, kind, count)
        if len(content) > 4:
            table += struct.pack(order + "I", beside + len(extra))
            extra += content + bytes(len(content) % 2)
        else:
            table += content.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory)
    return b"".join((head, *parts, bytes(size % 2), table, bytes(4), extra))
