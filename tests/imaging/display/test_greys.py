from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.imaging.display.greys import cropped, rgb_of, to_display
from clipsvd_app.imaging.display.windows import IDENTITY_8_BIT
from clipsvd_app.imaging.reading import open_as_rgb
from clipsvd_app.imaging.values import Frame

FRACTION = st.floats(0, 1)


def grey_frame(pixels: np.ndarray) -> Frame:
    return Frame(pixels.astype(np.float32), IDENTITY_8_BIT, (), False, None, None, "")


def test_a_window_of_ones_own_replaces_the_default():
    frame = grey_frame(np.array([[0, 100, 200]]))
    assert to_display(frame).tolist() == [[0, 100, 200]]
    assert to_display(frame, Window(100, 1)).tolist() == [[0, 255, 255]]


def test_a_window_brightens_colours_channel_by_channel():
    frame = Frame(np.array([[[0, 64, 128]]], np.uint8), IDENTITY_8_BIT, (), False, None, None, "")
    assert to_display(frame).tolist() == [[[0, 64, 128]]]
    assert to_display(frame, Window(64, 128, "LINEAR_EXACT")).tolist() == [[[0, 128, 255]]]


def test_a_display_never_shares_memory_with_its_frame():
    frame = Frame(np.zeros((2, 2, 3), np.uint8), IDENTITY_8_BIT, (), False, None, None, "")
    to_display(frame)[:] = 9
    assert frame.pixels.max() == 0


def test_a_crop_is_cut_in_fractions_of_the_frame():
    frame = grey_frame(np.arange(100).reshape(10, 10))
    shown = to_display(frame, crop=Crop(0.5, 0.2, 0.3, 0.1))
    assert shown.tolist() == [[25, 26, 27]]


@given(FRACTION, FRACTION, FRACTION, FRACTION, st.integers(1, 40), st.integers(1, 40))
def test_every_crop_holds_at_least_one_pixel_of_the_frame(x, y, width, height, rows, columns):
    crop = Crop(min(x, 0.999), min(y, 0.999), 1e-4 + width * (1 - min(x, 0.999) - 1e-4), 1e-4)
    cut = cropped(np.zeros((rows, columns)), crop)
    assert 1 <= cut.shape[0] <= rows
    assert 1 <= cut.shape[1] <= columns


def test_the_whole_frame_is_a_crop_of_itself():
    pixels = np.zeros((7, 11))
    assert cropped(pixels, Crop(0, 0, 1, 1)).shape == (7, 11)


@pytest.mark.parametrize("crop", [(-0.1, 0, 1, 1), (0, 0, 0, 1), (0.5, 0, 0.6, 1)])
def test_a_crop_outside_the_frame_cannot_be_built(crop):
    with pytest.raises(ValueError, match="inside the frame"):
        Crop(*crop)


def test_the_model_sees_what_the_screen_shows(write_dicom):
    path = write_dicom(np.arange(16, dtype=np.uint8).reshape(4, 4) * 16)
    seen = open_as_rgb(path)
    assert seen.shape == (4, 4, 3)
    assert seen.dtype == np.uint8
    assert np.array_equal(seen, rgb_of(seen[:, :, 0]))
