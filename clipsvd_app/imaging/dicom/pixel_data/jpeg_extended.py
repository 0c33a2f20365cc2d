"""12-bit JPEG Extended, which no plugin of pydicom 3.0 decodes; gdcm does, once the scan header is legal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipsvd_app.imaging.values import Array

_START_OF_SCAN = 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def decode_12_bit(stream: bytes, options: Mapping[str, Any]) -> Array:
    """Return (rows, columns) uint16 or int16 of one frame; called in a worker process only.

    options: the pixels' description for pydicom's decoders.
    """
    import gdcm

    rows, columns = options["rows"], options["columns"]
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(with_legal_scan(stream))
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation.GetPIType(options["photometric_interpretation"])
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    signed = options["pixel_representation"]
    # Samples, Bits Allocated, Bits Stored, High Bit, Pixel Representation.
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, signed))
    # gdcm's binding returns the bytes as text in which those that are no UTF-8 are surrogates.
    decoded = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(decoded, dtype="<i2" if signed else "<u2").reshape(rows, columns).copy()


def with_legal_scan(jpeg: bytes) -> bytes:
    """Return the stream with the full spectral range in its first scan header.

    Some encoders write Se = 0 there, which would mean a scan of DC coefficients alone (ITU-T T.81, B.2.3:
    sequential scans have Ss = 0, Se = 63).
    """
    position = 2
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF:
        marker = jpeg[position + 1]
        if marker == 0xFF or marker in _STANDALONE:
            position += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
        if marker == _START_OF_SCAN:
            spectral = position + 2 + length - 3
            return jpeg[:spectral] + bytes((0, 63)) + jpeg[spectral + 2 :]
        position += 2 + max(2, length)
    return jpeg
