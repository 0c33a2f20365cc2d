"""All pixels of a series, in the order of the body, equal to what its frames give one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.imaging import read_frame
from clipsvd_app.imaging.series import list_series, load_series

AXIAL = ["1", "0", "0", "0", "1", "0"]


@pytest.fixture
def slices(write_dicom):
    """Write a stack whose file names run against its positions."""

    def write(count: int = 5, kind=np.uint16, **changes):
        random = np.random.default_rng(3)
        paths = []
        for number in range(count):
            elements = {
                "Modality": "CT",
                "SeriesInstanceUID": "1.2.3",
                "SOPInstanceUID": f"1.2.3.{number}",
                "ImagePositionPatient": ["0", "0", str(-2.5 * number)],
                "ImageOrientationPatient": AXIAL,
                "RescaleSlope": "1",
                "RescaleIntercept": "-1024",
                **{key: value(number) if callable(value) else value for key, value in changes.items()},
            }
            pixels = random.integers(0, 4096, (6, 7)).astype(kind)
            paths.append(write_dicom(pixels, name=f"{number}.dcm", **elements))
        return paths

    return write


def one_by_one(paths, loaded) -> np.ndarray:
    order = [loaded.series.slices[index] for index in loaded.shown]
    return np.stack([read_frame(paths[found.member], found.frame).pixels for found in order])


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, np.int16),
        ({"kind": np.int16}, np.float32),  # 16 signed bits and an intercept may leave 16 bits
        ({"BitsStored": 12, "HighBit": 11}, np.int16),
        ({"kind": np.int16, "RescaleIntercept": "0"}, np.int16),
        ({"BitsStored": 12, "HighBit": 11, "RescaleSlope": lambda n: str(1 + n / 4)}, np.float32),
        ({"RescaleIntercept": "-0.5", "BitsStored": 12, "HighBit": 11}, np.float32),
        ({"syntax": ExplicitVRBigEndian, "kind": ">u2"}, np.float32),
        ({"kind": np.uint8}, np.int16),
        ({"PixelPaddingValue": 7, "BitsStored": 12, "HighBit": 11}, np.int16),
    ],
)
def test_the_volume_is_what_its_frames_are_one_by_one(slices, changes, kind):
    paths = slices(**changes)
    loaded = load_series(paths)
    assert loaded.volume.dtype == kind or changes == {}
    assert [found.member for found in loaded.series.slices] == [4, 3, 2, 1, 0]
    assert np.array_equal(loaded.volume, one_by_one(paths, loaded))
    assert loaded.series.flags == ()
    assert loaded.series.spacing_mm == 2.5


def test_frames_of_an_enhanced_object_are_put_in_order(write_dicom):
    def group(z: float) -> Dataset:
        position, orientation = Dataset(), Dataset()
        position.ImagePositionPatient = ["0", "0", str(z)]
        orientation.ImageOrientationPatient = AXIAL
        made = Dataset()
        made.PlanePositionSequence = Sequence([position])
        made.PlaneOrientationSequence = Sequence([orientation])
        return made

    pixels = np.arange(40, dtype=np.uint16).reshape(4, 2, 5)
    places = (4.0, 0.0, 6.0, 2.0)
    path = write_dicom(
        pixels, SeriesInstanceUID="1.2", PerFrameFunctionalGroupsSequence=Sequence(map(group, places))
    )
    loaded = load_series([path])
    assert np.array_equal(loaded.volume, pixels[[1, 3, 0, 2]])
    assert loaded.series.is_volume


def test_slices_of_another_size_are_flagged_and_left_out_of_the_volume(slices, write_dicom):
    paths = slices()
    odd = write_dicom(
        np.zeros((3, 3), np.uint16),
        name="odd.dcm",
        Modality="CT",
        SeriesInstanceUID="1.2.3",
        SOPInstanceUID="1.2.3.99",
        ImagePositionPatient=["0", "0", "2.5"],
        ImageOrientationPatient=AXIAL,
    )
    loaded = load_series([*paths, odd])
    assert len(loaded.series.slices) == 6
    assert loaded.volume.shape == (5, 6, 7)
    assert [flag.code for flag in loaded.series.flags] == ["mixed_size"]


def test_the_series_of_most_slices_is_loaded(slices, write_dicom):
    stray = write_dicom(np.zeros((2, 2), np.uint16), name="stray.dcm", SeriesInstanceUID="9")
    assert load_series([stray, *slices()]).volume.shape == (5, 6, 7)


def test_loading_is_told_and_can_be_stopped(slices):
    paths, told = slices(), []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        load_series(paths, stop)
    assert told == [(0, 5), (1, 5), (2, 5)]


def test_a_cut_off_slice_is_refused_by_its_name(slices):
    paths = slices()
    paths[2].write_bytes(paths[2].read_bytes()[:-20])
    with pytest.raises(UserError, match=r"2\.dcm"):
        load_series(paths)


def test_colour_is_refused(write_dicom):
    path = write_dicom(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(UserError, match="colour"):
        load_series([path])


def test_a_listing_counts_copies_and_refuses_file_by_file(slices, tmp_path):
    paths = slices()
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(paths[1].read_bytes())
    junk = tmp_path / "junk.dcm"
    junk.write_text("this is no image")
    listing = list_series([*paths, copy, junk])
    (series,) = listing.series
    assert len(series.slices) == 5
    assert [(flag.code, flag.count) for flag in series.flags] == [("duplicate_uid_same_content", 1)]
    assert len(listing.refused) == 1
    assert all(first.along_mm < second.along_mm for first, second in pairwise(series.slices))
