"""Files made to hurt: each costs one sentence, never the program."""

from __future__ import annotations

import time
import warnings
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian
from support.tiffs import page, tiff

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom import dataset as dicom_dataset
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.reading import read_frame, read_header

if TYPE_CHECKING:
    from pathlib import Path

MUTATION = st.lists(
    st.tuples(st.floats(0, 0.9999), st.one_of(st.integers(0, 255), st.just(-1))), min_size=1, max_size=12
)


def mutated(content: bytes, changes: list[tuple[float, int]], *, whole: int) -> bytes:
    """Overwrite bytes within the first `whole`; -1 cuts the file off there."""
    made = bytearray(content)
    for place, value in changes:
        at = int(place * min(whole, len(made)))
        if value < 0:
            del made[at:]
            break
        made[at] = value
    return bytes(made)


def survives(path: Path) -> None:
    """Read and show the file, or refuse it in a sentence; anything else fails the test."""
    refusals: list[UserError] = []
    try:
        read_header(path)
        assert to_display(read_frame(path)).dtype == np.uint8
    except UserError as error:
        refusals.append(error)
    assert all(error.remedy for error in refusals)
    assert not any(str(path.parent) in str(error) for error in refusals)


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_implicit.dcm", "examples_palette.dcm", "rtdose.dcm"]
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=MUTATION)
def test_damaged_dicom_is_shown_or_refused(bundled, tmp_path, name, changes):
    path = tmp_path / "mutant.dcm"
    path.write_bytes(mutated(bundled(name).read_bytes(), changes, whole=4000))
    survives(path)


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "SC_rgb_jpeg_gdcm.dcm", "MR_small_jp2klossless.dcm"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=MUTATION)
def test_damaged_compressed_dicom_is_shown_or_refused(bundled, tmp_path, name, changes):
    content = bundled(name).read_bytes()
    pixels = content.rfind(b"\xe0\x7f\x10\x00")
    path = tmp_path / "mutant.dcm"
    path.write_bytes(content[:pixels] + mutated(content[pixels:], changes, whole=3000))
    survives(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=MUTATION)
def test_damaged_pictures_are_shown_or_refused(tmp_path, kind, changes):
    path = tmp_path / "mutant"
    Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3)).save(path, format=kind)
    path.write_bytes(mutated(path.read_bytes(), changes, whole=1000))
    survives(path)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "JPEG2000", "PPM", "animated PNG"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=MUTATION)
def test_damaged_pictures_for_workers_are_shown_or_refused(tmp_path, kind, changes):
    path = tmp_path / "mutant"
    pictures = [Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3) // n) for n in (1, 2, 3)]
    frames = {"save_all": True, "append_images": pictures[1:]} if kind not in ("JPEG2000", "PPM") else {}
    pictures[0].save(path, format=kind.removeprefix("animated "), **frames)
    path.write_bytes(mutated(path.read_bytes(), changes, whole=1000))
    survives(path)


@pytest.mark.parametrize(
    "content",
    [
        b"P6 60000 60000 255\n" + bytes(99),
        b"P5 8 8 70000\n" + bytes(99),
        b"P2 3 3 9\n" + b"1 " * 3,
        b"P4 8",
        b"GIF89a" + b"\xff\xff\xff\xff\x00\x00\x00" + bytes(99),
        b"\xff\x4f\xff\x51" + b"\xff" * 99,
    ],
)
def test_headers_that_lie_cost_a_sentence(tmp_path, content):
    path = tmp_path / "lies"
    path.write_bytes(content)
    survives(path)
    with pytest.raises(UserError):
        read_frame(path)


@pytest.mark.parametrize("tags", [{"t273": (4, [4_000_000_000])}, {"t278": (4, [0])}, {"t258": (3, [16, 8])}])
@pytest.mark.parametrize("compression", [1, 5, 8])
def test_tiff_tags_that_lie_cost_a_sentence(tmp_path, tags, compression):
    path = tmp_path / "lies.tif"
    path.write_bytes(tiff(page(np.zeros((9, 9), np.uint16), t259=(3, [compression]), **tags)))
    survives(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000), preamble=st.booleans())
@example(content=b"PK\x03\x04", preamble=False)  # a ZIP archive cut off before its flags
def test_garbage_is_refused(tmp_path, content, preamble):
    path = tmp_path / "garbage.dcm"
    path.write_bytes(bytes(128) + b"DICM" + content if preamble else content)
    survives(path)


def test_a_deflate_bomb_is_refused_before_it_is_inflated(write_dicom, monkeypatch):
    monkeypatch.setattr(dicom_dataset, "MAX_INFLATED_BYTES", 8 * 1024**2)
    path = write_dicom(np.zeros((2, 2), np.uint8))
    content = path.read_bytes()
    meta_end = 132 + 12 + int.from_bytes(content[140:144], "little")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    deflated = path.read_bytes()
    meta_end = 132 + 12 + int.from_bytes(deflated[140:144], "little")
    squeeze = zlib.compressobj(9, wbits=-15)
    bomb = squeeze.compress(content[meta_end:] + bytes(64 * 1024**2)) + squeeze.flush()
    path.write_bytes(deflated[:meta_end] + bomb)
    bare = path.with_name("no_preamble.dcm")
    bare.write_bytes(path.read_bytes()[132:])
    for file in (path, bare):
        with pytest.raises(UserError) as refused:
            read_header(file)
        assert refused.value.code == "too_large"


def test_a_gibibyte_in_a_mebibyte_is_refused_within_a_second(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint8))
    plain = path.read_bytes()
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    deflated = path.read_bytes()
    squeeze = zlib.compressobj(9, wbits=-15)
    start = squeeze.compress(plain[144 + int.from_bytes(plain[140:144], "little") :])
    start += squeeze.flush(zlib.Z_FULL_FLUSH)
    mebibyte = squeeze.compress(bytes(1024**2)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    end = squeeze.flush()
    path.write_bytes(
        deflated[: 144 + int.from_bytes(deflated[140:144], "little")] + start + mebibyte * 1024 + end
    )
    began = time.process_time()
    with pytest.raises(UserError) as refused:
        read_header(path)
    assert time.process_time() - began < 1
    assert refused.value.code == "too_large"


def test_a_deflated_file_of_ordinary_size_is_read(bundled):
    assert read_frame(bundled("image_dfl.dcm")).pixels.shape == (512, 512)


def test_sequences_nested_a_thousand_deep_are_refused(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint8))
    content = path.read_bytes()
    sequence = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    at = content.find(b"\x08\x00\x16\x00UI")
    path.write_bytes(content[:at] + sequence * 1000 + closing * 1000 + content[at:])
    with pytest.raises(UserError) as refused:
        read_header(path)
    assert refused.value.code == "damaged"


def test_a_jpeg_2000_box_of_no_length_does_not_hold_the_program(bundled, tmp_path, monkeypatch):
    from clipsvd_app.imaging.dicom.pixel_data import frames as dicom_decoding
    from clipsvd_app.imaging.guard.decode_worker import DecodePool

    dataset = pydicom.dcmread(bundled("JPEG2000.dcm"))
    endless = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00\x00\x00\x00ftyp" + bytes(40)
    dataset.PixelData = pydicom.encaps.encapsulate([endless])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(tmp_path / "endless.dcm")
    patient = DecodePool(time_limit_s=120.0, workers=1)  # computing time alone ends it
    monkeypatch.setattr(dicom_decoding, "shared_pool", lambda: patient)
    try:
        with pytest.raises(UserError, match="cannot be decoded"):
            read_frame(tmp_path / "endless.dcm")
    finally:
        patient.close()


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=MUTATION)
def test_damaged_tiff_is_shown_or_refused(tmp_path, compression, changes):
    path = tmp_path / "mutant.tif"
    values = (np.arange(768) * 80).astype(np.uint16).reshape(24, 32)
    Image.fromarray(values).save(path, format="TIFF", compression=compression)
    path.write_bytes(mutated(path.read_bytes(), changes, whole=2000))
    survives(path)


def test_a_tiff_that_claims_to_be_enormous_is_refused_without_being_decoded(tmp_path):
    path = tmp_path / "huge.tif"
    Image.new("L", (16, 16)).save(path, format="TIFF", compression="tiff_adobe_deflate")
    content = path.read_bytes()
    for tag in (256, 257):  # width and length, each one SHORT
        at = content.index(tag.to_bytes(2, "little") + b"\x03\x00\x01\x00\x00\x00") + 8
        content = content[:at] + (30_000).to_bytes(4, "little") + content[at + 4 :]
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        read_frame(path)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("name", ["v.nii", "v.nrrd", "v.mha"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=MUTATION)
def test_damaged_volumes_are_shown_or_refused(tmp_path, name, changes):
    import SimpleITK

    path = tmp_path / name
    voxels = np.arange(480, dtype=np.int16).reshape(4, 10, 12)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(path))
    path.write_bytes(mutated(path.read_bytes(), changes, whole=700))
    survives(path)


def test_a_file_cut_off_in_its_pixels_is_refused_with_a_remedy(bundled):
    with pytest.raises(UserError, match="incomplete"):
        read_frame(bundled("MR_truncated.dcm"))


def test_compressed_data_larger_than_its_header_says_is_refused(bundled, tmp_path):
    dataset = pydicom.dcmread(bundled("MR_small_RLE.dcm"))
    dataset.Rows = dataset.Columns = 32
    dataset.save_as(tmp_path / "lies.dcm")
    survives(tmp_path / "lies.dcm")


def test_a_number_of_the_wrong_length_does_not_hide_the_picture(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint16), PixelPaddingValue=7)
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b"\x28\x00\x20\x01US\x02\x00\x07\x00", b"\x28\x00\x20\x01US\x03\x00\x07\x00\x00")
    )
    assert read_frame(path).padding is None


def test_a_broken_transfer_syntax_is_refused_without_a_warning(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint16))
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840\x00\xca0008.1.2.1\x00"))
    with pytest.raises(UserError):
        read_frame(path)
