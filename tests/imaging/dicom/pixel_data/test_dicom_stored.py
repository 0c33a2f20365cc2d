"""The stored array is the one that pydicom's own raw decoding gives."""

from __future__ import annotations

import warnings

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.pixels import pixel_array
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored

NATIVE = [
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_expb.dcm",
    "MR_small_implicit.dcm",
    "MR_small_padded.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
    "rtdose.dcm",
]
COMPRESSED = [
    "693_J2KI.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "examples_jpeg2k.dcm",
    "rtdose_rle.dcm",
]


@pytest.mark.parametrize("name", NATIVE + COMPRESSED)
def test_stored_pixels_are_exact(bundled, name):
    path = bundled(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pixel_array(pydicom.dcmread(path), raw=True)
    stored = read_stored(path)
    assert stored.dtype == expected.dtype.newbyteorder("<")
    assert stored.shape[0] == read_header(path).frames
    assert np.array_equal(stored.reshape(expected.shape), expected)


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_twelve_bit_jpeg_is_decoded_in_spite_of_its_illegal_scan_header(bundled, name):
    path = bundled(name)
    reference = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(bundled("JPGExtended.dcm"))))
    stored = read_stored(path)
    assert stored.shape == (1, 1024, 256)
    assert np.abs(stored.astype(int) - reference.reshape(stored.shape)).max() <= 1


def test_unused_high_bits_are_cleared_and_signs_extended(write_dicom):
    dirty = np.array([[0xF00F, 0x0FFF]], np.uint16)
    unsigned = write_dicom(dirty, name="u.dcm", BitsStored=12, HighBit=11)
    assert read_stored(unsigned).tolist() == [[[0x00F, 0xFFF]]]
    signed = write_dicom(dirty.view(np.int16), name="s.dcm", BitsStored=12, HighBit=11)
    assert read_stored(signed).tolist() == [[[15, -1]]]


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, ImplicitVRLittleEndian])
def test_byte_order_does_not_change_the_stored_values(write_dicom, syntax):
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    stored = read_stored(write_dicom(values.astype(f"{order}u2"), syntax=syntax))
    assert stored.dtype == np.dtype("<u2")
    assert np.array_equal(stored[0], values)


def test_planes_become_samples_last(write_dicom):
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    path = write_dicom(rgb, PixelData=planes.tobytes(), PlanarConfiguration=1)
    assert np.array_equal(read_stored(path)[0], rgb)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int8, np.uint32, np.int32])
def test_every_number_type_keeps_its_values_and_frames(write_dicom, kind):
    values = np.arange(24).reshape(2, 3, 4).astype(kind) - (5 if np.dtype(kind).kind != "u" else 0)
    stored = read_stored(write_dicom(values))
    assert stored.dtype == np.dtype(kind)
    assert np.array_equal(stored, values)


def test_frames_are_read_one_by_one(write_dicom):
    values = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    path = write_dicom(values)
    assert np.array_equal(read_frame(path, 1).pixels, values[1])
    with pytest.raises(UserError, match="has 2 frames; there is no frame 2"):
        read_frame(path, 2)
    with pytest.raises(UserError):
        read_frame(path, -1)


def test_ybr_is_shown_as_rgb_but_stored_as_it_is(write_dicom):
    red = np.broadcast_to(np.array([76, 85, 255], np.uint8), (2, 2, 3))
    path = write_dicom(np.ascontiguousarray(red), PhotometricInterpretation="YBR_FULL")
    assert np.array_equal(read_stored(path)[0], red)
    assert np.abs(read_frame(path).pixels.astype(int) - [254, 0, 0]).max() <= 1


def test_colours_decoded_from_every_codec_agree(bundled):
    reference = read_frame(bundled("SC_rgb_dcmtk_+eb+cr.dcm")).pixels
    for name in ("SC_rgb_dcmtk_+eb+cy+s4.dcm", "SC_rgb_gdcm_KY.dcm", "SC_ybr_full_422_uncompressed.dcm"):
        difference = np.abs(read_frame(bundled(name)).pixels.astype(int) - reference)
        assert np.median(difference) <= 2, name


def test_an_unknown_compression_is_named_with_a_remedy(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint8))
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2.9\x00"))
    with pytest.raises(UserError) as refused:
        read_frame(path)
    assert refused.value.code == "unsupported_compression"


def test_a_film_is_refused_as_a_compression_that_is_not_decoded(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint8))
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.MPEG4HP41
    data.PixelData = pydicom.encaps.encapsulate([b"\x00\x00\x00\x01"])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    with pytest.raises(UserError, match="MPEG-4"):
        read_frame(path)
