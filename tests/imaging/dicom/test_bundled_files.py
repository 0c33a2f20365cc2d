"""Every file of pydicom and pydicom-data is shown, or refused for a reason that is true."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import VLWholeSlideMicroscopyImageStorage
from support.bundled import bundled_folders

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame, read_object_header, read_stored

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = (".py", ".pyc", ".json", ".txt", ".md", ".xml", ".dump", ".icc", ".gz")
FILES = sorted(
    path
    for folder in bundled_folders()
    for path in folder.rglob("*")
    if path.is_file() and path.suffix not in OTHERS and not path.name.startswith("README")
)
NOT_READABLE = {
    "MR_truncated.dcm": "its pixel data are shorter than its header says",
    "meta_missing_tsyntax.dcm": "its pixel data come without rows and columns",
    "nested_priv_SQ.dcm": "its pixel data come without rows and columns",
    "no_meta.dcm": "a byte stands before its first element",
    "JPEG2000-embedded-sequence-delimiter.dcm": "its codestream ends in the middle of a fragment",
}
# Files of one picture, stored plainly and in lossless syntaxes.
ONE_PICTURE = (
    ("693_UNCR", "693_J2KR"),
    ("MR2_UNCR", "MR2_J2KR"),
    ("RG1_UNCR", "RG1_J2KR"),
    ("RG3_UNCR", "RG3_J2KR"),
    ("US1_UNCR", "US1_J2KR"),
    ("OBXXXX1A", "OBXXXX1A_expb", "OBXXXX1A_rle"),
    ("OBXXXX1A_2frame", "OBXXXX1A_expb_2frame", "OBXXXX1A_rle_2frame"),
    ("SC_rgb", "SC_rgb_expb", "SC_rgb_rle", "SC_rgb_gdcm2k_uncompressed"),
    ("SC_rgb_2frame", "SC_rgb_expb_2frame", "SC_rgb_rle_2frame"),
    ("SC_rgb_16bit", "SC_rgb_expb_16bit", "SC_rgb_rle_16bit"),
    ("SC_rgb_16bit_2frame", "SC_rgb_expb_16bit_2frame", "SC_rgb_rle_16bit_2frame"),
    ("SC_rgb_32bit", "SC_rgb_expb_32bit", "SC_rgb_rle_32bit"),
    ("SC_rgb_32bit_2frame", "SC_rgb_expb_32bit_2frame", "SC_rgb_rle_32bit_2frame"),
    (
        "emri_small",
        "emri_small_RLE",
        "emri_small_big_endian",
        "emri_small_jpeg_2k_lossless",
        "emri_small_jpeg_ls_lossless",
    ),
    ("gdcm-US-ALOKA-16", "gdcm-US-ALOKA-16_big"),
    ("liver", "liver_expb"),
    ("color-px", "color-pl"),
    ("MR_small", "MR_small_RLE", "MR_small_bigendian", "MR_small_implicit", "MR_small_expb"),
    ("MR_small", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless"),
    ("rtdose", "rtdose_expb", "rtdose_rle"),
)


def holds_pixels(path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
    missing_delimiter = (
        path.name == "emri_small_jpeg_2k_lossless_too_short.dcm"
    )  # pydicom leaves the rest out
    pixels = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    return missing_delimiter or any(keyword in dataset for keyword in pixels)


def refusal_of(path: Path) -> UserError | None:
    try:
        assert to_display(read_frame(path)).dtype == np.uint8
    except UserError as error:
        return error
    return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_file_is_shown_or_truly_refused(path):
    refused = refusal_of(path)
    if refused is None:
        assert holds_pixels(path)
        assert path.name not in NOT_READABLE
    elif refused.code in ("no_pixels", "dicomdir"):
        assert not holds_pixels(path)
    else:
        assert path.name in NOT_READABLE


def test_there_are_files_of_both_packages():
    assert len(FILES) > 200


@pytest.mark.parametrize("names", ONE_PICTURE, ids=lambda names: names[0])
def test_lossless_syntaxes_of_one_picture_give_one_hash(bundled, names):
    assert len({image_facts(bundled(f"{name}.dcm")).sha256 for name in names}) == 1


def test_frames_are_whole_in_a_file_that_ends_before_its_delimiter(bundled):
    short, whole = (bundled(f"emri_small_jpeg_2k_lossless{end}.dcm") for end in ("_too_short", ""))
    assert np.array_equal(read_stored(short), read_stored(whole))


@pytest.mark.parametrize(
    ("name", "called", "frames"),
    [
        ("liver_1frame.dcm", "a segmentation", 1),
        ("rtdose_1frame.dcm", "a radiotherapy dose grid", 1),
        ("reportsi.dcm", "a structured report", 0),
        ("test-SR.dcm", "a structured report", 0),
        ("rtstruct.dcm", "a set of radiotherapy contours", 0),
        ("waveform_ecg.dcm", "a waveform", 0),
        ("CT_small.dcm", "", 1),
    ],
)
def test_objects_that_are_no_image_are_recognised_by_name(bundled, name, called, frames):
    header = read_object_header(bundled(name))
    assert (header.object_name, header.frames) == (called, frames)


@pytest.mark.parametrize(
    ("flavour", "frames", "called"),
    [
        ("THUMBNAIL", 1, ""),
        ("OVERVIEW", 1, ""),
        ("VOLUME", 6, "one level of a whole slide in 6 tiles"),
        ("LABEL", 1, "the label of a whole slide"),
    ],
)
def test_of_a_whole_slide_the_thumbnail_is_an_image(write_dicom, flavour, frames, called):
    path = write_dicom(
        np.zeros((frames, 4, 5, 3), np.uint8),
        SOPClassUID=VLWholeSlideMicroscopyImageStorage,
        Modality="SM",
        ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"],
    )
    assert read_object_header(path).object_name == called


@pytest.mark.parametrize(
    "name",
    [
        "693_J2KI",
        "CT_small",
        "JPEG2000",
        "MR_small",
        "MR_small_RLE",
        "MR_small_bigendian",
        "MR_small_implicit",
        "MR_small_jp2klossless",
        "MR_small_jpeg_ls_lossless",
        "image_dfl",
    ],
)
def test_another_decoder_gives_the_same_values(bundled, name):
    path = bundled(f"{name}.dcm")
    other = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).squeeze()
    rounding = 1e-6 * np.abs(other).max()
    assert np.abs(read_frame(path).pixels - other).max() <= rounding
