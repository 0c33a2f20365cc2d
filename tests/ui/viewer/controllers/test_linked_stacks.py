"""Facts about stacks that lie beside each other in a patient."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from support.phantom_ct import write_series

from clipsvd_app.imaging.reading import read_header
from clipsvd_app.imaging.series.placing import Axis, axis_of
from clipsvd_app.ui.viewer.places import Place, way_linked

BLOCK = np.zeros((5, 4, 4))
UP = (0.0, 0.0, 1.0)


def axis(paths) -> Axis | None:
    return axis_of([(path, 0) for path in paths], {path: read_header(path) for path in paths})


def test_slices_say_where_they_lie_in_the_order_they_are_given(tmp_path):
    paths = write_series(tmp_path, BLOCK, spacing_mm=(2.5, 1, 1), space="9")
    found = axis(paths[::-1])
    assert found.along_mm == (10.0, 7.5, 5.0, 2.5, 0.0)
    assert found.normal == pytest.approx(UP)


def test_without_a_frame_of_reference_places_mean_nothing_to_others(tmp_path):
    assert axis(write_series(tmp_path, BLOCK)) is None


def test_a_stack_of_two_orientations_has_no_one_axis(tmp_path):
    paths = write_series(tmp_path, BLOCK, space="9")
    dataset = pydicom.dcmread(paths[0])
    dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    dataset.save_as(paths[0])
    assert axis(paths) is None


def test_the_nearest_slice_is_found_whichever_way_a_stack_runs():
    thin = Axis("a", UP, (0.0, 1.0, 2.0, 3.0, 4.0, 5.0))
    thick = Axis("a", (0.0, 0.0, -1.0), (0.0, -2.4, -4.8))
    assert [thick.nearest(thin, index) for index in range(6)] == [0, 0, 1, 1, 2, 2]
    assert thin.nearest(thick, 2) == 5


@pytest.mark.parametrize("other", [Axis("b", UP, (0.0, 1.0)), Axis("a", (0.0, 1.0, 0.0), (0.0, 1.0))])
def test_other_spaces_and_directions_share_no_place(other):
    assert other.nearest(Axis("a", UP, (0.0, 1.0)), 1) is None


def test_a_linked_stack_follows_by_place_else_by_steps():
    lead = Place(3, 6, axis=Axis("a", UP, (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)))
    near = Place(0, 2, axis=Axis("a", UP, (0.0, 3.0)))
    far = Place(2, 9)
    assert lead.step(1) == 4
    assert (near.follow(lead, 1), far.follow(lead, 1)) == (1, 3)
    assert way_linked(lead, [near]) == "mm"
    assert way_linked(lead, [far]) == "slices"
    assert way_linked(lead, [near, far]) == "both"
    assert way_linked(lead, []) == ""
