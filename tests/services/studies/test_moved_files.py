from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.errors import Cancelled
from clipsvd_app.project import open_project
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.moved_files import missing_images, plan_collect, plan_relink

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def filled(project, picture, tmp_path: Path):
    for number in range(3):
        picture(tmp_path / "in" / f"{number}.png", number)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "in"])))
    return project


def test_moved_and_renamed_files_are_found_by_their_content(filled, tmp_path: Path) -> None:
    (tmp_path / "in").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "0.png").rename(tmp_path / "elsewhere" / "renamed.png")
    (tmp_path / "elsewhere" / "2.png").unlink()
    assert len(missing_images(filled.images())) == 3
    plan = plan_relink(filled, tmp_path / "elsewhere")
    inverse = filled.apply(plan.change)
    assert (plan.files, plan.left) == (2, ("2.png",))
    assert len(missing_images(filled.images())) == 1
    filled.apply(inverse)
    assert len(missing_images(filled.images())) == 3


def test_a_file_of_the_same_name_and_other_content_is_not_taken(filled, picture, tmp_path: Path) -> None:
    (tmp_path / "in").rename(tmp_path / "away")
    picture(tmp_path / "other" / "0.png", 77)
    plan = plan_relink(filled, tmp_path / "other")
    assert plan.files == 0
    assert len(plan.left) == 3


def test_the_search_can_be_stopped(filled, tmp_path: Path) -> None:
    (tmp_path / "in").rename(tmp_path / "away")

    def stop(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        plan_relink(filled, tmp_path / "away", stop)


def test_collected_images_travel_with_the_project(filled, tmp_path: Path) -> None:
    plan = plan_collect(filled)
    filled.apply(plan.change)
    assert plan.files == 3
    filled.close()
    there = tmp_path / "there"
    there.mkdir()
    shutil.move(filled.path, there)
    shutil.move(filled.images_folder, there)
    shutil.rmtree(tmp_path / "in")
    with open_project(there / filled.path.name) as again:
        assert not missing_images(again.images())
        assert {image.path.rsplit("/", 2)[-2] for image in again.images()} == {"study images"}


def test_collecting_twice_copies_nothing_and_takes_no_names_along(filled) -> None:
    filled.apply(plan_collect(filled).change)
    folder = filled.images_folder
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    again = plan_collect(filled)
    assert again.files == 3
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    assert {image.sha256[:16] + ".png" for image in filled.images()} == set(before)


def test_a_file_that_changed_since_is_left_and_named(filled, picture, tmp_path: Path) -> None:
    picture(tmp_path / "in" / "1.png", 50)
    plan = plan_collect(filled)
    assert plan.left == ("1.png",)
    assert len(list(filled.images_folder.iterdir())) == 2
