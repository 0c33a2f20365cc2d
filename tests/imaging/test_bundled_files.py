"""Every file that travels with pydicom is shown, or refused for a reason that is true."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import read_frame, read_object_header, to_display

FOLDER = Path(pydicom.__file__).parent / "data"
OTHERS = (".py", ".pyc", ".json", ".txt", ".md", ".xml", ".dump", ".icc", ".gz")
FILES = sorted(
    path
    for path in FOLDER.rglob("*")
    if path.is_file() and path.suffix not in OTHERS and not path.name.startswith("README")
)
NOT_READABLE = {
    "MR_truncated.dcm": "its pixel data are shorter than its header says",
    "meta_missing_tsyntax.dcm": "its pixel data come without rows and columns",
    "nested_priv_SQ.dcm": "its pixel data come without rows and columns",
    "badVR.dcm": "an element has a value representation that does not exist",
    "no_meta.dcm": "a byte stands before its first element",
    "JPEG2000-embedded-sequence-delimiter.dcm": "its codestream ends in the middle of a fragment",
}


def holds_pixels(path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
    return any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


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
