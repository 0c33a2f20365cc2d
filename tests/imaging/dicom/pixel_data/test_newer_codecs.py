"""Codecs of which no file travels with pydicom: decoded where a decoder is had, else refused by name."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    HTJ2K,
    JPEG2000MC,
    MPEG2MPML,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEGExtended12Bit,
    JPIPHTJ2KReferenced,
)
from support import htj2k

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.reading import read_frame, read_stored


@pytest.fixture
def write_encoded(write_dicom):
    def write(pixels: np.ndarray, syntax: str, encoded: bytes, **elements):
        path = write_dicom(pixels, **elements)
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = pydicom.encaps.encapsulate([encoded])
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(path)
        return path

    return write


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_high_throughput_jpeg_2000_is_decoded(write_encoded, syntax):
    path = write_encoded(np.zeros((4, 4), np.uint8), syntax, htj2k.codestream())
    assert read_stored(path).tolist() == [list(map(list, htj2k.GREYS))]


def test_colour_jpeg_of_12_bits_is_refused_by_what_it_is(write_encoded):
    pixels = np.zeros((4, 4, 3), np.uint16)
    path = write_encoded(pixels, JPEGExtended12Bit, b"\xff\xd8\xff\xd9", BitsStored=12, HighBit=11)
    with pytest.raises(UserError, match="12-bit colour JPEG") as refused:
        read_frame(path)
    assert refused.value.code == "unsupported_compression"


@pytest.mark.parametrize("syntax", [JPEG2000MC, JPIPHTJ2KReferenced, MPEG2MPML])
def test_what_no_decoder_reaches_is_refused_by_its_name(write_encoded, syntax):
    path = write_encoded(np.zeros((4, 4), np.uint8), syntax, b"\x00\x00")
    with pytest.raises(UserError) as refused:
        read_frame(path)
    assert syntax.name.split(" (")[0] in str(refused.value)
    assert refused.value.code == "unsupported_compression"
