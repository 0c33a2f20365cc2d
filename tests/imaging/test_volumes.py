from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import image_facts, read_frame, read_header, read_stored

VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5) - 7


@pytest.fixture
def write_volume(tmp_path):
    def write(name: str, voxels: np.ndarray = VOXELS, *, is_vector: bool = False):
        image = SimpleITK.GetImageFromArray(voxels, isVector=is_vector)
        image.SetSpacing([0.5, 0.75, 2.0][: image.GetDimension()])
        SimpleITK.WriteImage(image, str(tmp_path / name))
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.nrrd", "v.mha"])
def test_slices_of_the_last_axis_are_frames(write_volume, name):
    path = write_volume(name)
    header = read_header(path)
    assert (header.kind, header.rows, header.columns, header.frames) == ("volume", 4, 5, 3)
    assert header.pixel_spacing_mm == pytest.approx((0.75, 0.5))
    assert np.array_equal(read_stored(path), VOXELS)
    assert np.array_equal(read_frame(path, 1).pixels, VOXELS[1])


def test_a_colour_volume_is_shown_in_colour(write_volume):
    colours = np.random.default_rng(0).integers(0, 255, (2, 4, 5, 3), np.uint8)
    path = write_volume("c.mha", colours, is_vector=True)
    assert np.array_equal(read_frame(path, 1).pixels, colours[1])
    assert image_facts(path).photometric == "RGB"


def test_a_vector_field_is_refused(write_volume):
    path = write_volume("field.mha", np.zeros((2, 4, 5, 2), np.float32), is_vector=True)
    with pytest.raises(UserError, match="no greyscale or RGB"):
        read_frame(path)


@pytest.mark.parametrize("name", ["cut.nii", "cut.nii.gz", "cut.nrrd", "cut.mha"])
def test_a_truncated_volume_is_refused_with_a_remedy(write_volume, name):
    noise = np.random.default_rng(0).integers(0, 999, (8, 64, 64), np.int16)
    path = write_volume(name, noise)
    path.write_bytes(path.read_bytes()[:-9000])
    with pytest.raises(UserError) as refused:
        read_frame(path, 7)
    assert refused.value.code == "damaged"


def test_a_header_may_not_point_at_data_elsewhere(write_volume, tmp_path):
    path = write_volume("v.mhd")
    text = path.read_text().replace("ElementDataFile = v.raw", "ElementDataFile = ../../etc/passwd")
    path.write_text(text)
    with pytest.raises(UserError, match="another folder"):
        read_frame(path)


def test_a_header_beside_its_data_is_read(write_volume):
    assert np.array_equal(read_stored(write_volume("v.mhd")), VOXELS)
