"""Facts about a series as one block of voxels."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from PIL import Image
from support.phantom_ct import chest, write_series

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.imaging import read_stack

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


def test_two_slices_at_one_place_leave_the_order_as_it_was_and_no_positions(tmp_path):
    paths = write_series(tmp_path / "a", BLOCK) + write_series(tmp_path / "b", BLOCK[:1], series=2)
    stack = read_stack([(path, 0) for path in paths], silent)
    assert stack.positions_mm is None
    assert stack.order == (0, 1, 2, 3, 4)


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
