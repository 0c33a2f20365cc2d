"""Patients set aside from every run, and what a project knows that weakens an estimate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.project_images import project_image

from clipsvd_app.domain.project_values import ProjectClass
from clipsvd_app.domain.words.evaluation import weakness_text
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_request
from clipsvd_app.jobs.requests import BackboneRef, TrainRequest
from clipsvd_app.services.labels.labels import label_from_folders
from clipsvd_app.services.runs import training_run
from clipsvd_app.services.runs.weaknesses import weaknesses
from clipsvd_app.services.studies.held_out_patients import (
    SETTING,
    choose_locked,
    is_locked,
    locked_offer,
    set_patients_aside,
)
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.patient_rules import PatientRule

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (ProjectClass(1, "cyst", (), 0), ProjectClass(2, "mass", (), 1))
BACKBONE = BackboneRef("demo", "/models/demo", "0" * 64)


def patients(count: int, images_each: int = 1):
    """So many labelled patients of each class."""
    return [
        replace(
            project_image(number, 1 + number % 2),
            patient_key=f"key {number // (2 * images_each)}-{number % 2}",
        )
        for number in range(2 * count * images_each)
    ]


def test_a_project_of_few_patients_sets_none_aside(project) -> None:
    assert set_patients_aside(project, CLASSES, patients(30), None) == frozenset()
    assert project.setting(SETTING) == ""


def test_a_project_of_many_patients_sets_about_a_quarter_aside_and_keeps_to_it(project) -> None:
    many = patients(140)
    locked = set_patients_aside(project, CLASSES, many, None)
    assert 0.15 < len(locked) / 280 < 0.35
    assert set_patients_aside(project, CLASSES, many, None) == locked
    more = set_patients_aside(project, CLASSES, patients(200), None)
    assert more & {image.patient_key for image in many} == locked
    fewer = many[:40]
    assert set_patients_aside(project, CLASSES, fewer, None) == locked & {
        image.patient_key for image in fewer
    }


def test_setting_aside_can_be_asked_for_and_taken_back(project) -> None:
    some = patients(40)
    assert set_patients_aside(project, CLASSES, some, True)
    assert set_patients_aside(project, CLASSES, some, None)
    assert set_patients_aside(project, CLASSES, patients(140), False) == frozenset()
    assert set_patients_aside(project, CLASSES, patients(140), None) == frozenset()


def test_too_few_patients_to_set_aside_are_refused_and_nothing_is_kept(project) -> None:
    with pytest.raises(UserError, match="on one side in some class"):
        set_patients_aside(project, CLASSES, patients(5), True)
    assert project.setting(SETTING) == ""


def test_the_window_is_offered_what_the_next_run_would_do(project) -> None:
    few, some, many = (locked_offer(project, CLASSES, patients(n)) for n in (10, 40, 140))
    assert (few.possible, few.chosen) == (False, False)
    assert "about 16 patients in every class" in few.sentence
    assert (some.possible, some.chosen) == (True, False)
    assert (many.possible, many.chosen) == (True, True)
    choose_locked(project, False)
    assert not locked_offer(project, CLASSES, patients(140)).chosen
    choose_locked(project, True)
    locked = set_patients_aside(project, CLASSES, patients(140), None)
    assert f"{len(locked)} of 280 labelled patients" in locked_offer(project, CLASSES, patients(140)).sentence
    assert locked_offer(project, CLASSES, patients(10)).chosen, "what is set aside stays so until taken back"


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_draw_is_a_fact_of_the_patient(seed, key):
    assert is_locked(seed, key) == is_locked(seed, key)


@pytest.fixture
def named(project, picture, tmp_path: Path):
    for number in range(120):
        name = ("cyst", "mass")[number % 2]
        picture(tmp_path / "in" / name / f"p{number // 2}_{number}.png", number)
    return project


def request_of(project, **choices) -> TrainRequest:
    request = read_request(training_run.prepare(project, BACKBONE, "quick", **choices))
    assert isinstance(request, TrainRequest)
    return request


def test_the_request_names_who_is_set_aside_and_no_key(named, tmp_path: Path) -> None:
    import re

    rule = PatientRule("regex", pattern=re.compile(r"^p(\d+)_"))
    named.apply(apply_import(named, plan_import(named, [tmp_path / "in"], rule)))
    label_from_folders(named)
    request = request_of(named, locked_test=True)
    groups = {image.patient for image in request.images}
    assert request.locked
    assert set(request.locked) < groups
    assert request.warnings == ()
    assert request_of(named).locked == request.locked
    # Every patient has an image in either class folder, and is one patient all the same.
    assert len(groups) == 60
    assert request_of(named, locked_test=False).locked == ()


def test_patients_known_by_likeness_are_told(named, tmp_path: Path) -> None:
    named.apply(apply_import(named, plan_import(named, [tmp_path / "in"])))
    label_from_folders(named)
    (warning,) = request_of(named).warnings
    assert warning.code == "known_by_similarity"
    assert weakness_text(warning).startswith("All patients are identified by image similarity only")


def test_copies_under_two_patients_are_told(project, picture, tmp_path: Path) -> None:
    for patient in range(6):
        folder = tmp_path / f"patient {patient}"
        picture(folder / "a.png", seed=patient % 3, change=patient)
    project.apply(apply_import(project, plan_import(project, [tmp_path], PatientRule("folder"))))
    label_from_folders(project)
    warning, *_ = weaknesses(project, project.images(), locked=False)
    assert (warning.code, warning.count) == ("look_alikes", 6)
    assert "almost identical to an image of another patient" in weakness_text(warning)


def test_a_project_of_copies_has_as_many_patients_as_pictures(project, picture, tmp_path: Path) -> None:
    for number in range(12):
        picture(tmp_path / "in" / ("cyst", "mass")[number % 2] / f"{number}.png", number % 2, number)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "in"])))
    label_from_folders(project)
    assert len({image.patient for image in request_of(project).images}) == 2
