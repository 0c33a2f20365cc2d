"""One picture under two patients is noticed, and never merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest
from PIL import Image
from support.films import ct_slices, film

from clipsvd_app.imaging.reading import open_as_rgb
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.look_alikes import look_alikes

if TYPE_CHECKING:
    from pathlib import Path

SAME = "same content"


def warned(plan) -> list[str]:
    return [warning for warning in plan.warnings if SAME in warning]


def test_one_film_under_two_patients_is_warned_of_and_kept_apart(project, tmp_path: Path) -> None:
    for patient, seed in (("A", 1), ("B", 1), ("C", 3)):
        film(tmp_path / f"{patient}.dcm", patient, seed)
    plan = plan_import(project, [tmp_path])
    (warning,) = warned(plan)
    assert warning.startswith("2 images show")
    assert len({image.patient_key for image in plan.images}) == 3
    project.apply(apply_import(project, plan))
    alike = look_alikes(project.images())
    assert len(alike) == 2


def test_a_film_added_later_is_compared_with_the_project(project, tmp_path: Path) -> None:
    project.apply(apply_import(project, plan_import(project, [film(tmp_path / "a.dcm", "A", 1)])))
    plan = plan_import(project, [film(tmp_path / "b.dcm", "B", 1)])
    assert warned(plan)[0].startswith("1 image shows")


def test_one_patient_may_have_a_film_twice(project, tmp_path: Path) -> None:
    plan = plan_import(project, [film(tmp_path / f"{n}.dcm", "A", 1) for n in range(2)])
    assert len(plan.images) == 2
    assert not warned(plan)


def test_slices_alike_by_nature_are_not_compared(project, tmp_path: Path) -> None:
    plan = plan_import(project, ct_slices(tmp_path, [0, 1, 2]))
    assert not any(image.near_hash for image in plan.images)


@pytest.mark.parametrize("brightness", [0, 30])
def test_a_picture_of_a_film_is_warned_of_and_not_given_to_its_patient(
    project, tmp_path: Path, brightness: int
) -> None:
    source = film(tmp_path / "a.dcm", "A", 1)
    project.apply(apply_import(project, plan_import(project, [source])))
    copy = open_as_rgb(source) // 2 + brightness
    Image.fromarray(copy).save(tmp_path / "copy.png")
    plan = plan_import(project, [tmp_path / "copy.png"])
    assert warned(plan)
    assert plan.images[0].patient_key != project.images()[0].patient_key


def test_a_film_whose_pixels_are_damaged_is_taken_as_before(project, tmp_path: Path) -> None:
    path = film(tmp_path / "a.dcm", "A", 1)
    dataset = pydicom.dcmread(path)
    dataset.BitsAllocated = 24
    dataset.save_as(path)
    plan = plan_import(project, [path])
    assert (len(plan.images), plan.images[0].near_hash) == (1, "")
