"""Images leave a project without their files, and their series are judged anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.films import ct_slices, film

from clipsvd_app.errors import UserError
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.removal import images_below, removal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stack(project, tmp_path: Path) -> list[Path]:
    paths = ct_slices(tmp_path / "in", [0, 1, 2, 3, 4])
    project.apply(apply_import(project, plan_import(project, paths)))
    return paths


def codes(project) -> list[str]:
    return [flag.code for flags in project.series_flags().values() for flag in flags]


def test_a_slice_taken_out_is_missing_until_it_comes_back(project, stack) -> None:
    undo = project.apply(removal(project, images_below(project, [stack[2]])))
    assert (len(project.images()), codes(project)) == (4, ["missing_slices"])
    redo = project.apply(undo)
    assert (len(project.images()), codes(project)) == (5, [])
    project.apply(redo)
    assert codes(project) == ["missing_slices"]
    assert stack[2].exists()


def test_a_series_taken_out_whole_leaves_nothing(project, stack, tmp_path: Path) -> None:
    undo = project.apply(removal(project, images_below(project, [tmp_path / "in"])))
    assert (project.images(), codes(project)) == ((), [])
    project.apply(undo)
    assert (len(project.images()), codes(project)) == (5, [])


def test_slices_that_cannot_be_read_now_are_not_called_missing(project, stack) -> None:
    gone = images_below(project, [stack[4]])
    stack[1].unlink()
    project.apply(removal(project, gone))
    assert codes(project) == []


def test_what_the_project_has_not_is_refused(project, stack, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no image from"):
        images_below(project, [film(tmp_path / "other.dcm", "B", 3)])
