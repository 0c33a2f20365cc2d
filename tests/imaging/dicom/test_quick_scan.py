"""The quick look at plain headers never says anything that pydicom would not say."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from clipsvd_app.imaging.dicom import dataset
from clipsvd_app.imaging.dicom.elements import KEYWORDS, damage, numbers, text
from clipsvd_app.imaging.dicom.header import describe
from clipsvd_app.imaging.dicom.quick_scan import PlainDataset, scan
from clipsvd_app.imaging.dicom.true_image import TrueDataset
from clipsvd_app.imaging.reading import read_frame, read_header

TEXTS = ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "Modality", "PhotometricInterpretation")
FILES = sorted((Path(pydicom.__file__).parent / "data").rglob("*.dcm"))


def agree(path: Path, plain: PlainDataset) -> None:
    """Compare every element that either of the two found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        assert plain.file_meta.TransferSyntaxUID == full.file_meta.TransferSyntaxUID
        for keyword in KEYWORDS:
            assert numbers(plain, keyword) == numbers(full, keyword) or keyword in TEXTS, keyword
        assert [text(plain, keyword) for keyword in TEXTS] == [text(full, keyword) for keyword in TEXTS]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_agrees_with_the_full_parser_or_stands_back(path):
    plain = scan(path, KEYWORDS)
    if plain is not None:
        agree(path, plain)


def test_it_reads_most_plain_files():
    assert sum(scan(path, KEYWORDS) is not None for path in FILES) > len(FILES) / 3


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm"])
def test_it_gives_the_header_and_pixels_of_the_full_parser(bundled, monkeypatch, name):
    path = bundled(name)
    quick_header, quick_pixels = read_header(path), read_frame(path).pixels
    monkeypatch.setattr(dataset, "scan", lambda *_: None)
    assert isinstance(scan(path, KEYWORDS), PlainDataset)
    assert read_header(path) == quick_header
    assert np.array_equal(read_frame(path).pixels, quick_pixels)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    places=st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), min_size=1, max_size=6),
    name=st.sampled_from(["CT_small.dcm", "MR_small_implicit.dcm"]),
)
def test_it_agrees_on_damaged_files_too(bundled, tmp_path, places, name):
    content = bytearray(bundled(name).read_bytes())
    for place, value in places:
        content[int(place * 1500)] = value
    path = tmp_path / "mutant.dcm"
    path.write_bytes(content)
    plain = scan(path, KEYWORDS)
    if plain is None:
        return
    try:
        agree(path, plain)
        describe(path, TrueDataset(plain, plain.file_meta.TransferSyntaxUID))
    except damage():  # pydicom gave up on bytes that the quick look passes by
        return


def nested(depth: int) -> Dataset:
    made = Dataset()
    made.StudyDescription = "inside"
    if depth:
        made.ReferencedStudySequence = Sequence([nested(depth - 1)])
        made["ReferencedStudySequence"].is_undefined_length = True
    made.is_undefined_length_sequence_item = True
    return made


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
def test_it_steps_over_sequences_it_does_not_need(write_dicom, syntax):
    inner = nested(3)
    options = {} if syntax is None else {"syntax": syntax}
    path = write_dicom(
        np.arange(6, dtype=np.uint16).reshape(2, 3),
        ReferencedStudySequence=Sequence([inner, nested(0)]),
        PatientID="7",
        **options,
    )
    plain = scan(path, KEYWORDS)
    assert plain is not None
    assert text(plain, "PatientID") == "7"
    assert read_frame(path).pixels[1].tolist() == [3, 4, 5]


def test_a_long_header_is_read_on(write_dicom):
    path = write_dicom(np.zeros((2, 2), np.uint16), ICCProfile=bytes(70_000))
    assert scan(path, KEYWORDS) is not None


@pytest.mark.parametrize(
    "elements",
    [
        {"PatientName": "Müller^Änne", "SpecificCharacterSet": "ISO_IR 100"},
        {"ModalityLUTSequence": Sequence([Dataset()])},
        {"WindowCenter": ["1", "2"], "PatientID": "a\\b"},
    ],
)
def test_it_leaves_the_unusual_to_the_full_parser(write_dicom, elements):
    assert scan(write_dicom(np.zeros((2, 2), np.uint16), **elements), KEYWORDS) is None


@pytest.mark.parametrize(("vr", "written"), [("LO", "-1024"), ("SH", "-1024.0"), ("DS", "-1024,0")])
def test_both_parsers_make_the_same_of_numbers_in_other_forms(write_dicom, monkeypatch, vr, written):
    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3)
    path = write_dicom(pixels, Modality="CT", RescaleSlope="1", RescaleIntercept="-12345678")
    value = written.ljust(10).encode()
    path.write_bytes(path.read_bytes().replace(b"DS\x0a\x00-12345678 ", vr.encode() + b"\x0a\x00" + value))
    quick = read_header(path), read_frame(path)
    monkeypatch.setattr(dataset, "scan", lambda *_: None)
    assert read_header(path) == quick[0]
    for frame in (quick[1], read_frame(path)):
        assert frame.units == "HU"
        assert np.array_equal(frame.pixels, pixels - 1024.0)
