"""PBM, PGM and PPM images (netpbm's formats 1 to 6), in NumPy; in a worker only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.imaging.formats.described import Described
from clipsvd_app.imaging.opened import opened
from clipsvd_app.imaging.values import notes_of

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.imaging.values import Array

_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([0-9]{1,9})")
# The digit after P: written as text, or as bytes.
_BITMAP, _GREY, _COLOUR = (1, 4), (2, 5), (3, 6)


@dataclass(frozen=True, slots=True)
class _Header:
    """form: the digit after P. start: where the pixels begin. brightest: the value that is white."""

    form: int
    rows: int
    columns: int
    brightest: int
    start: int

    @property
    def samples(self) -> int:
        return 3 if self.form in _COLOUR else 1

    @property
    def raw_bytes(self) -> int:
        """The bytes that the pixels take, 0 where they are written as text."""
        if self.form < 4:
            return 0
        if self.form in _BITMAP:
            return self.rows * -(-self.columns // 8)
        return self.rows * self.columns * self.samples * (1 if self.brightest < 256 else 2)


def describe_netpbm(path: Path) -> Described:
    """Read the header; further images after the first are counted."""
    content = _content(path)
    header = _header(content, 0)
    colour = header.form in _COLOUR
    bits = header.brightest.bit_length()
    further = _further(content, header)
    return Described(
        photometric="RGB" if colour else "MONOCHROME1" if header.form in _BITMAP else "MONOCHROME2",
        codec=f"PNM P{header.form}",
        rows=header.rows,
        columns=header.columns,
        frames=1,
        bits=bits,
        pixel_bytes=header.samples * (1 if header.brightest < 256 else 2),
        brightest=header.brightest,
        notes=notes_of({"pages_left_out": further, "colour_depth": int(colour and bits > 8)}),
    )


def stored_netpbm(path: Path) -> Array:
    """Return (rows, columns[, 3]) as stored; in bitmaps 1 is black."""
    content = _content(path)
    header = _header(content, 0)
    shape = (header.rows, header.columns, 3) if header.samples == 3 else (header.rows, header.columns)
    return _values(content, header).reshape(shape)


def shown_netpbm(path: Path) -> Array:
    """Return grey as stored, or RGB uint8 with the brightest value at 255."""
    pixels = stored_netpbm(path)
    if pixels.ndim == 2:
        return pixels
    brightest = _header(_content(path), 0).brightest
    return (np.minimum(pixels, brightest).astype(np.uint32) * 255 // brightest).astype(np.uint8)


def _content(path: Path) -> bytes:
    with opened(path) as file:
        return file.read()


def _header(content: bytes, start: int) -> _Header:
    form = int(content[start + 1 : start + 2])
    wanted, numbers, at = 2 if form in _BITMAP else 3, [], start + 2
    for _ in range(wanted):
        token = _TOKEN.match(content, at)
        if token is None:
            raise ValueError("a header without its numbers")
        numbers.append(int(token[1]))
        at = token.end()
    columns, rows, brightest = (*numbers, 1)[:3]
    # netpbm's formats allow a maximum value of up to 65,535.
    if min(rows, columns) < 1 or not 0 < brightest < 65536:
        raise ValueError("a header of impossible numbers")
    return _Header(form, rows, columns, brightest, at + 1)


def _values(content: bytes, header: _Header) -> Array:
    count = header.rows * header.columns * header.samples
    kind = np.dtype(np.uint8 if header.brightest < 256 else np.uint16)
    if header.form == 4:
        packed = np.frombuffer(content, np.uint8, header.raw_bytes, header.start).reshape(header.rows, -1)
        return np.unpackbits(packed, axis=1, count=header.columns)
    if header.form >= 4:
        return np.frombuffer(content, kind.newbyteorder(">"), count, header.start).astype(kind)
    text = re.sub(rb"#[^\n\r]*", b"", content[header.start - 1 :])
    if header.form == 1:  # digits need no blanks between them
        digits = np.frombuffer(text, np.uint8)
        ones: Array = (digits[(digits == ord("0")) | (digits == ord("1"))][:count] - ord("0")).astype(kind)
        return ones
    return np.array(text.split(maxsplit=count)[:count], dtype=np.int64).astype(kind)


def _further(content: bytes, header: _Header) -> int:
    """Count the images behind the first one, as netpbm's tools may chain them."""
    count = 0
    while header.raw_bytes:
        at = header.start + header.raw_bytes
        if not re.match(rb"P[4-6]\s", content[at : at + 3]):
            break
        header, count = _header(content, at), count + 1
    return count
