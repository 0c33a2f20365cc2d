"""Facts about the window that the slices of a series share."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from clipsvd_app.domain.view import Window
from clipsvd_app.errors import Cancelled
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.reading import open_as_rgb, read_frame
from clipsvd_app.imaging.series.window import series_window, window_beside
from clipsvd_app.imaging.thumbnails import thumbnail

NOISE_UP_TO, LESION = 50, 10_000


@pytest.fixture
def pet(write_dicom):
    """Five slices of noise and one with a lesion; no header gives a window."""
    random = np.random.default_rng(1)
    paths = []
    for number in range(6):
        pixels = random.integers(0, NOISE_UP_TO, (16, 16)).astype(np.uint16)
        if number == 3:
            pixels[4:12, 4:12] = LESION
        paths.append(
            write_dicom(
                pixels,
                f"pet{number}.dcm",
                Modality="PT",
                Units="GML",
                SeriesInstanceUID="1.2.9",
                RescaleSlope="0.001",
                RescaleIntercept="0",
            )
        )
    return paths


def test_noise_stays_dark_beside_the_slice_with_the_lesion(pet):
    shared = series_window([(path, 0) for path in pet])
    greys = [to_display(read_frame(path, 0, shared)) for path in pet]
    assert max(grey.mean() for grey in greys[:3] + greys[4:]) < 5
    assert greys[3].max() == 255
    alone = to_display(read_frame(pet[0], 0))
    assert alone.mean() > 100


def test_screen_training_and_thumbnails_share_it(pet, tmp_path):
    shared = series_window([(path, 0) for path in pet])
    for path in pet[:2]:
        shown = to_display(read_frame(path, 0, shared))
        assert (open_as_rgb(path, 0, series_window=shared)[..., 0] == shown).all()
        small = thumbnail(path, 0, 16, cache_folder=tmp_path, series_window=shared)
        assert (small[..., 0] == shown).all()
        assert thumbnail(path, 0, 16, cache_folder=tmp_path).mean() > 100


def test_a_window_of_the_header_and_one_of_the_user_go_first(write_dicom, pet):
    own = write_dicom(
        np.arange(16, dtype=np.uint16).reshape(4, 4), "own.dcm", WindowCenter="8", WindowWidth="4"
    )
    shared = series_window([(path, 0) for path in pet])
    assert read_frame(own, 0, shared).window == Window(8.0, 4.0)
    chosen = Window(0.01, 0.02, "LINEAR_EXACT")
    assert (open_as_rgb(pet[0], 0, chosen, series_window=shared) == open_as_rgb(pet[0], 0, chosen)).all()


def test_no_window_is_made_up_where_headers_or_the_kind_of_image_give_one(write_dicom):
    slices = []
    for number in range(3):
        pixels = np.full((4, 4), 100 * number, np.uint16)
        slices.append((write_dicom(pixels, f"w{number}.dcm", WindowCenter="100", WindowWidth="200"), 0))
    assert series_window(slices) is None
    assert series_window(slices[:1]) is None
    assert window_beside(slices[0][0]) == (None, 1)


def test_slices_of_eight_bits_with_slopes_of_their_own_share_a_window(write_dicom):
    slices = []
    for number, slope in enumerate(("0.01", "0.04")):
        pixels = np.linspace(0, 255, 256).astype(np.uint8).reshape(16, 16)
        said = {"Modality": "PT", "Units": "GML", "RescaleSlope": slope, "RescaleIntercept": "0"}
        slices.append((write_dicom(pixels, f"e{number}.dcm", **said), 0))
    shared = series_window(slices)
    faint, bright = (to_display(read_frame(*place, shared)) for place in slices)
    assert faint.max() == pytest.approx(255 / 4, abs=2)
    assert bright.max() == 255


def test_slices_in_different_units_share_no_window(write_dicom):
    slices = []
    for number, units in enumerate(("GML", "BQML")):
        path = write_dicom(
            np.arange(16, dtype=np.uint16).reshape(4, 4), f"u{number}.dcm", Modality="PT", Units=units
        )
        slices.append((path, 0))
    assert series_window(slices) is None


def test_the_slices_of_one_volume_file_share_a_window(tmp_path):
    voxels = np.random.default_rng(2).integers(0, 40, (5, 8, 8)).astype(np.int16)
    voxels[2] = 4000
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(tmp_path / "v.nii.gz"))
    shared, slices = window_beside(tmp_path / "v.nii.gz")
    assert slices == 5
    greys = [to_display(read_frame(tmp_path / "v.nii.gz", n, shared)).mean() for n in range(5)]
    assert greys[2] == 255
    assert max(greys[:2] + greys[3:]) < 5


def test_a_file_finds_its_series_beside_it_and_no_other(pet, tmp_path, write_dicom):
    Image.new("L", (4, 4)).save(tmp_path / "other.png")
    write_dicom(np.full((4, 4), 60_000, np.uint16), "z.dcm", SeriesInstanceUID="1.2.10")
    shared, slices = window_beside(pet[0])
    assert slices == 6
    assert shared == series_window([(path, 0) for path in pet])


def test_reading_for_the_window_can_be_stopped(pet):
    def stop(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        series_window([(path, 0) for path in pet], stop)
