"""Overlays are read and placed, and never part of what is shown unasked."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.reading import read_frame, read_header, read_overlays


@pytest.fixture
def overlaid(write_dicom):
    def write(mask: np.ndarray, pixels=None, *, origin=(1, 1), **elements):
        path = write_dicom(np.zeros((4, 5), np.uint16) if pixels is None else pixels)
        dataset = pydicom.dcmread(path)
        made = {"Rows": ("US", mask.shape[-2]), "Columns": ("US", mask.shape[-1])}
        for element, vr, value in (
            (0x0010, *made["Rows"]),
            (0x0011, *made["Columns"]),
            (0x0040, "CS", "R"),
            (0x0050, "SS", list(origin)),
            (0x0100, "US", 1),
            (0x0102, "US", 0),
            (0x1500, "LO", "liver"),
        ):
            dataset.add_new((0x6002, element), vr, value)
        for element, vr, value in elements.get("more", ()):
            dataset.add_new((0x6002, element), vr, value)
        packed = np.packbits(mask.reshape(-1), bitorder="little").tobytes()
        dataset.add_new((0x6002, 0x3000), "OW", packed + b"\0" * (len(packed) % 2))
        dataset.save_as(path)
        return path

    return write


def test_an_overlay_is_unpacked_and_named(overlaid):
    mask = np.arange(20).reshape(4, 5) % 3 == 0
    path = overlaid(mask)
    assert read_header(path).overlays == 1
    (overlay,) = read_overlays(path)
    assert np.array_equal(overlay.mask, mask)
    assert (overlay.is_region, overlay.label) == (True, "liver")
    assert np.ptp(to_display(read_frame(path))) == 0


@pytest.mark.parametrize("origin", [(2, 3), (0, 0), (-1, 4), (9, 9)])
def test_an_overlay_lies_where_its_origin_says(overlaid, origin):
    mask = np.ones((3, 2), bool)
    expected = np.zeros((20, 20), bool)
    top, left = 8 + origin[0] - 1, 8 + origin[1] - 1
    expected[top : top + 3, left : left + 2] = True
    (overlay,) = read_overlays(overlaid(mask, origin=origin))
    assert np.array_equal(overlay.mask, expected[8:12, 8:13])


def test_each_frame_has_its_own_part_of_an_overlay(overlaid):
    masks = np.random.default_rng(1).random((2, 3, 4)) > 0.5
    frames = np.zeros((3, 3, 4), np.uint8)
    path = overlaid(masks, frames, more=((0x0015, "IS", "2"), (0x0051, "US", 2)))
    assert read_overlays(path, 0) == ()
    assert np.array_equal(read_overlays(path, 1)[0].mask, masks[0])
    assert np.array_equal(read_overlays(path, 2)[0].mask, masks[1])


def test_an_overlay_in_the_unused_bits_is_found_and_not_shown(write_dicom):
    mask = np.arange(20).reshape(4, 5) % 4 == 1
    path = write_dicom((mask * 0x8000 + 5).astype(np.uint16), BitsStored=12, HighBit=11)
    dataset = pydicom.dcmread(path)
    for element, vr, value in (
        (0x0010, "US", 4),
        (0x0011, "US", 5),
        (0x0050, "SS", [1, 1]),
        (0x0102, "US", 15),
    ):
        dataset.add_new((0x6000, element), vr, value)
    dataset.save_as(path)
    assert np.array_equal(read_overlays(path)[0].mask, mask)
    assert (read_frame(path).pixels == 5).all()


def test_an_overlay_cut_short_is_left_out(overlaid):
    path = overlaid(np.ones((4, 5), bool), more=((0x0015, "IS", "1"),))
    dataset = pydicom.dcmread(path)
    dataset[0x6002, 0x3000].value = b"\1\0"
    dataset.save_as(path)
    assert read_overlays(path) == ()


def test_the_bundled_overlay_agrees_with_another_reader(bundled):
    path = bundled("examples_overlay.dcm")
    expected = pydicom.dcmread(path).overlay_array(0x6000)
    (overlay,) = read_overlays(path)
    assert np.array_equal(overlay.mask, expected.astype(bool))
