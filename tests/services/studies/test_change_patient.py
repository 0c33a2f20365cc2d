"""Images given to another patient: what goes along, what stays consistent, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.project_values import NewImage, SeriesFlag
from clipsvd_app.project import create_project
from clipsvd_app.project.changes import AddImages, SetLabels, SetSeriesFlags
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.studies.held_out_patients import SEED, choose_locked, is_locked
from clipsvd_app.services.studies.patient_corrections import (
    NEW_PATIENT,
    change_patient,
    locked_sentence,
    patient_choices,
    with_their_series,
)

if TYPE_CHECKING:
    from pathlib import Path


def image(patient: str, series: str, number: int, modality: str = "", study: str = "") -> NewImage:
    sha = f"{series}-{number}"
    study = study or f"study of {series}"
    path = f"/in/{patient}/{series}_{number}.png"
    return NewImage(patient, study, series, sha, path, 0, modality, "", 8, 8, float(number))


@pytest.fixture
def project(tmp_path: Path):
    with create_project(tmp_path / "p.clipsvd") as made:
        added = [image("A", "pictures", n) for n in range(3)]
        added += [image("B", "ct", n, "CT", "ct study") for n in range(4)]
        added += [image("B", "scout", 0, "CT", "ct study"), image("C", "mr", 0, "MR")]
        made.apply(AddImages(tuple(added)))
        made.apply(SetSeriesFlags({"ct": (SeriesFlag("gap", "1 slice is missing.", 1),)}))
        made.apply(AddClass(class_from_name("cyst")))
        made.apply(SetLabels({made.images()[0].id: made.classes()[0].id}))
        yield made


def of(project, patient: str):
    return [image for image in project.images() if image.patient_key == patient]


def state(project):
    return project.images(), project.series_flags(), project.series_keys()


def test_a_picture_leaves_its_patient_and_undo_and_redo_restore_every_row(project):
    before = state(project)
    change = change_patient(project, of(project, "A")[:1], "C")
    back = project.apply(change)
    after = state(project)
    assert [len(of(project, key)) for key in "ABC"] == [2, 5, 2]
    assert of(project, "C")[1].class_id is not None, "its label goes along"
    again = project.apply(back)
    assert state(project) == before
    back = project.apply(again)
    assert state(project) == after
    project.apply(back)
    assert state(project) == before


def test_a_series_moves_whole_with_what_is_said_of_it_and_the_rest_of_the_study_stays(project):
    chosen = of(project, "B")[1:2]
    moving = with_their_series(project.images(), {chosen[0].id})
    assert len(moving) == 4
    before = state(project)
    back = project.apply(change_patient(project, moving, "A"))
    moved = [image for image in of(project, "A") if image.modality == "CT"]
    assert len(moved) == 4
    assert len({image.series_id for image in moved}) == 1
    assert project.series_flags()[moved[0].series_id][0].code == "gap"
    assert len(of(project, "B")) == 1
    project.apply(back)
    assert state(project) == before


def test_a_patient_left_without_images_goes_and_undo_brings_it_back(project):
    before = state(project)
    back = project.apply(change_patient(project, of(project, "C"), "A"))
    assert of(project, "C") == []
    assert len({image.study_number for image in of(project, "A")}) == 2
    project.apply(back)
    assert state(project) == before


def test_slices_added_later_join_their_series_where_it_is_now(project):
    project.apply(change_patient(project, of(project, "C"), "A"))
    project.apply(AddImages((image("C", "mr", 1, "MR"),)))
    assert len([image for image in of(project, "A") if image.modality == "MR"]) == 2


def test_pictures_move_one_by_one_and_frames_of_a_file_together(project):
    images = project.images()
    assert len(with_their_series(images, {images[0].id})) == 1
    frames = [replace(images[0], id=900 + n, frame=n) for n in range(3)]
    assert len(with_their_series([*images[1:], *frames], {901})) == 3


@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_a_new_patient_is_on_the_side_of_the_locked_test_where_the_images_were(project, seed):
    project.set_setting(SEED, seed)
    choose_locked(project, True)
    for key in "ABC":
        moving = of(project, key)[:1]
        assert locked_sentence(project, moving, NEW_PATIENT) == ""
        change = change_patient(project, moving, NEW_PATIENT)
        assert is_locked(seed, change.patient_key) == is_locked(seed, key)
        assert change.patient_key not in "ABC"


def test_images_that_change_between_training_and_test_are_told_of(project):
    project.set_setting(
        SEED, next(s for s in map(str, range(99)) if is_locked(s, "A") and not is_locked(s, "B"))
    )
    assert locked_sentence(project, of(project, "A"), "B") == "", "no test is locked yet"
    choose_locked(project, True)
    assert locked_sentence(project, of(project, "A"), "B").startswith("3 images move from the fixed test set")
    assert locked_sentence(project, of(project, "B")[:1], "A").startswith("1 image moves from training")


def test_the_likely_patients_come_first_and_one_s_own_is_none(project):
    choices = patient_choices(project.images(), of(project, "A")[:1])
    assert [choice.key for choice in choices] == ["B", "C"]
    images = [replace(i, path=i.path.replace("/C/", "/A/")) for i in project.images()]
    moving = [i for i in images if i.patient_key == "A"]
    assert [(c.key, c.reason) for c in patient_choices(images, moving)] == [("C", "same folder"), ("B", "")]
