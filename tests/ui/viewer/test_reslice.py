"""Facts about the three planes of a volume."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.ui.viewer.places import Place
from clipsvd_app.ui.viewer.reslice import evenly_spaced, planes_of

AXIAL, CORONAL, SAGITTAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1)
USUAL_EDGES = {
    "Axial": ("R", "A", "L", "P"),
    "Coronal": ("R", "H", "L", "F"),
    "Sagittal": ("A", "H", "P", "F"),
}


def patient_block(orientation) -> tuple[np.ndarray, np.ndarray]:
    """A block whose voxels are known by the patient's directions: (voxels along z, as left, back, head)."""
    along_columns, along_rows = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(along_columns, along_rows)
    place = np.stack(np.meshgrid(np.arange(4), np.arange(5), np.arange(6), indexing="ij"), axis=-1)
    directions = np.stack([normal, along_rows, along_columns])
    return place @ directions, directions


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL])
def test_every_plane_hangs_as_radiologists_expect_it(orientation):
    where, _directions = patient_block(orientation)
    planes = planes_of(orientation)
    assert {plane.name for plane in planes} == set(USUAL_EDGES)
    for plane in planes:
        assert plane.edges == USUAL_EDGES[plane.name]
        left, back, head = (plane.cut(where[..., axis], 1) for axis in range(3))
        right_hand, down = {
            "Axial": (left, back),
            "Coronal": (left, -head),
            "Sagittal": (back, -head),
        }[plane.name]
        assert np.all(np.diff(right_hand, axis=1) == 1)
        assert np.all(np.diff(down, axis=0) == 1)


@given(
    st.sampled_from([None, AXIAL, CORONAL, SAGITTAL, (0, -1, 0, 0, 0, -1), (-1, 0, 0, 0, -1, 0)]), st.data()
)
def test_a_voxel_is_found_where_it_is_shown(orientation, data):
    shape = (4, 5, 6)
    voxel = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    block = np.zeros(shape, np.float32)
    block[voxel] = 1
    for plane in planes_of(orientation):
        column, row = plane.point_of(voxel, shape)
        assert plane.cut(block, voxel[plane.axis])[int(row), int(column)] == 1
        start = tuple(place if axis == plane.axis else 0 for axis, place in enumerate(voxel))
        assert plane.voxel_at((column, row), start, shape) == voxel


def test_the_acquired_plane_is_shown_as_it_is_stored():
    block = np.arange(24.0).reshape(2, 3, 4)
    for orientation in (None, AXIAL, SAGITTAL):
        assert np.array_equal(planes_of(orientation)[0].cut(block, 1), block[1])


def test_without_an_orientation_no_side_is_named():
    assert all(plane.edges is None for plane in planes_of(None))


def test_each_plane_has_the_spacing_of_the_axes_it_shows():
    acquired, across_rows, across_columns = planes_of(AXIAL)
    spacing = (5.0, 0.6, 0.7)
    assert acquired.spacing_mm(spacing) == (0.6, 0.7)
    assert across_rows.spacing_mm(spacing) == (5.0, 0.7)
    assert across_columns.spacing_mm(spacing) == (5.0, 0.6)


@given(st.lists(st.sampled_from([1.0, 1.0, 1.0, 2.0, 0.5]), min_size=2, max_size=12))
def test_uneven_slices_are_brought_to_even_distances_without_bending_anything(gaps):
    positions = np.concatenate([[0.0], np.cumsum(gaps)])
    block = np.repeat(positions, 6).reshape(-1, 2, 3).astype(np.float32)
    even, step = evenly_spaced(block, positions)
    assert step == np.median(gaps)
    if len(even) == len(block) and np.allclose(gaps, step):
        assert even is block
    inside = step * np.arange(len(even)) <= positions[-1]
    assert even[inside, 0, 0] == pytest.approx(step * np.arange(len(even))[inside], abs=1e-4)


def test_hurried_steps_add_up_and_stop_at_the_ends():
    place = Place()
    place.arrive(3, 6)
    assert (place.step(1), place.step(1), place.step(1)) == (4, 5, None)
    assert place.step(-99) == 0
    place.arrive(0, 6)
    assert place.step(-1) is None


def test_a_cine_goes_round_and_waits_for_each_frame():
    place = Place()
    place.arrive(5, 6)
    assert place.play() == 0
    assert place.play() is None
    place.arrive(0, 6)
    assert place.play() == 1
