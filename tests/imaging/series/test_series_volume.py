"""Facts about a series as one block of voxels."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK
from PIL import Image
from support.phantom_ct import chest, write_series

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.imaging.series.volume import read_stack

BLOCK = np.arange(4 * 6 * 5).reshape(4, 6, 5)


def silent(_done: int, _total: int) -> None:
    """Report to nobody."""


def test_slices_come_in_the_order_of_their_positions(tmp_path):
    paths = write_series(tmp_path, BLOCK, spacing_mm=(2.5, 1.0, 1.0))
    given = sorted(paths)  # the names run backwards
    stack = read_stack([(path, 0) for path in given], silent)
    assert np.array_equal(stack.voxels, BLOCK)
    assert stack.positions_mm.tolist() == [0.0, 2.5, 5.0, 7.5]
    assert stack.orientation == (1, 0, 0, 0, 1, 0)
    assert [given[number] for number in stack.order] == paths


def missing(folder):
    paths = write_series(folder, np.concatenate([BLOCK, BLOCK]))
    return paths[:3] + paths[4:]


def doubled(folder):
    return write_series(folder / "a", BLOCK) + write_series(folder / "b", BLOCK[:1], series=2)


def repeated(folder):
    return write_series(folder / "a", BLOCK) + write_series(folder / "b", BLOCK, series=2)


def irregular(folder):
    paths = write_series(folder, BLOCK)
    change(paths[2], "ImagePositionPatient", [0, 0, 13.5])
    return paths


def tilted(folder):
    paths = write_series(folder, BLOCK)
    for number, path in enumerate(paths):
        change(path, "ImagePositionPatient", [0, 2.0 * number, 5.0 * number])
    return paths


def turned(folder):
    paths = write_series(folder, BLOCK)
    change(paths[1], "ImageOrientationPatient", [0, 1, 0, 0, 0, -1])
    return paths


def placeless(folder):
    paths = write_series(folder, BLOCK)
    for path in paths:
        change(path, "ImagePositionPatient", [])
    return paths


def uneven_pixels(folder):
    paths = write_series(folder, BLOCK)
    change(paths[1], "PixelSpacing", [2.0, 2.0])
    return paths


def change(path, keyword, value) -> None:
    dataset = pydicom.dcmread(path)
    setattr(dataset, keyword, value)
    dataset.save_as(path)


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (missing, "missing"),
        (doubled, "position of another"),
        (repeated, "every position has 2 images"),
        (irregular, "irregular"),
        (tilted, "shifted in-plane"),
        (turned, "orientations"),
        (placeless, "have no position"),
        (uneven_pixels, "different pixel spacing"),
    ],
)
def test_what_is_no_regular_grid_is_refused_in_one_sentence_that_says_why(tmp_path, series, why):
    with pytest.raises(UserError, match=why) as refused:
        read_stack([(path, 0) for path in series(tmp_path)], silent)
    assert refused.value.code == "no_volume"
    assert refused.value.remedy == "View it slice by slice."
    assert refused.value.message.count(".") == 1


def test_a_film_series_without_places_is_no_block(tmp_path):
    paths = placeless(tmp_path)
    for path in paths:
        change(path, "Modality", "US")
    with pytest.raises(UserError, match="have no positions"):
        read_stack([(path, 0) for path in paths], silent)


def test_several_volumes_in_one_file_are_no_block(tmp_path):
    image = SimpleITK.JoinSeries([SimpleITK.GetImageFromArray(BLOCK.astype(np.int16))] * 2)
    SimpleITK.WriteImage(image, str(tmp_path / "v.nii"))
    with pytest.raises(UserError, match="several volumes"):
        read_stack([(tmp_path / "v.nii", frame) for frame in range(8)], silent)


def test_the_slices_of_a_volume_file_lie_at_its_third_spacing(tmp_path):
    image = SimpleITK.GetImageFromArray(BLOCK.astype(np.int16))
    image.SetSpacing((0.7, 0.8, 3.0))
    SimpleITK.WriteImage(image, str(tmp_path / "v.nrrd"))
    stack = read_stack([(tmp_path / "v.nrrd", frame) for frame in range(4)], silent)
    assert np.array_equal(stack.voxels, BLOCK)
    assert stack.positions_mm == pytest.approx(np.array([0, 3, 6, 9]))
    assert stack.first.pixel_spacing_mm == (0.8, 0.7)


def test_pictures_make_a_block_without_positions(tmp_path):
    for number in range(3):
        Image.fromarray(np.full((8, 9), 40 * number, np.uint8)).save(tmp_path / f"{number}.png")
    stack = read_stack([(tmp_path / f"{number}.png", 0) for number in range(3)], silent)
    assert stack.voxels[:, 0, 0].tolist() == [0, 40, 80]
    assert stack.positions_mm is None


def test_too_few_slices_and_mixed_sizes_are_refused(tmp_path):
    paths = write_series(tmp_path / "a", BLOCK) + write_series(tmp_path / "b", BLOCK[:, :4], series=2)
    for chosen in (paths[:2], paths):
        with pytest.raises(UserError) as refused:
            read_stack([(path, 0) for path in chosen], silent)
        assert refused.value.code == "no_volume"


def test_reading_stops_when_it_is_cancelled(tmp_path):
    paths = write_series(tmp_path, chest(4, 16))

    def cancelled(done: int, _total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_stack([(path, 0) for path in paths], cancelled)


def test_a_volume_file_that_says_how_it_lies_has_sides(tmp_path):
    image = SimpleITK.GetImageFromArray(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6))
    image.SetSpacing((1.0, 1.0, 3.0))
    image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, 1))
    SimpleITK.WriteImage(image, str(tmp_path / "v.nii"))
    stack = read_stack([(tmp_path / "v.nii", frame) for frame in range(4)], silent)
    assert stack.orientation is not None
    assert np.allclose(np.abs(stack.orientation), (1, 0, 0, 0, 1, 0))
    assert np.allclose(stack.positions_mm, (0, 3, 6, 9))
    assert set(stack.order) == {0, 1, 2, 3}
