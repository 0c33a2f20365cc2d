from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.formats import volumes
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored

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


def turned(image: SimpleITK.Image) -> None:
    """Lay the volume as a scanner does that cuts from the left: columns run to the back, rows to the feet."""
    image.SetOrigin([10.0, -20.0, 30.0])
    image.SetDirection([0, 0, 1, 1, 0, 0, 0, -1, 0])


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
def test_slices_of_a_nifti_volume_lie_where_its_affine_says(tmp_path, name):
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetSpacing([0.5, 0.75, 2.0])
    turned(image)
    SimpleITK.WriteImage(image, str(tmp_path / name))
    planes = read_header(tmp_path / name).planes
    assert len(planes) == 3
    assert planes[0].row == pytest.approx((0, 1, 0))
    assert planes[0].column == pytest.approx((0, 0, -1))
    assert [plane.position_mm[0] for plane in planes] == pytest.approx([10.0, 12.0, 14.0])


def test_a_nifti_volume_without_an_affine_lies_nowhere(write_volume):
    path = write_volume("v.nii")
    content = bytearray(path.read_bytes())
    content[252:256] = bytes(4)  # qform_code and sform_code
    path.write_bytes(content)
    assert read_header(path).planes == ()


def test_a_volume_that_no_worker_could_hold_is_refused(write_volume, monkeypatch):
    monkeypatch.setattr(volumes, "MOST_BYTES", 100)
    with pytest.raises(UserError, match="larger than 768 MB"):
        read_header(write_volume("v.nii"))


def test_a_gzipped_volume_with_a_lying_end_is_counted(write_volume):
    path = write_volume("v.nii.gz")
    path.write_bytes(path.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(UserError):
        read_frame(path)


def test_a_colour_volume_is_shown_in_colour(write_volume):
    colours = np.random.default_rng(0).integers(0, 255, (2, 4, 5, 3), np.uint8)
    path = write_volume("c.mha", colours, is_vector=True)
    assert np.array_equal(read_frame(path, 1).pixels, colours[1])
    assert image_facts(path).photometric == "RGB"


def test_a_vector_field_is_refused(write_volume):
    path = write_volume("field.mha", np.zeros((2, 4, 5, 2), np.float32), is_vector=True)
    with pytest.raises(UserError, match="not greyscale or RGB"):
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
