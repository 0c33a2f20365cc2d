"""The order in which images, patients and classes came into a project decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.changing import replace

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.engine.data.splits import draw_shots, folds_by_patient
from clipsvd_app.engine.fitting.sampling import balanced_batch
from clipsvd_app.jobs.folders import read_request
from clipsvd_app.jobs.requests import BackboneRef
from clipsvd_app.project import create_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.labels import label_from_folders, set_labels
from clipsvd_app.services.runs import training_run
from clipsvd_app.services.runs.case_map import prepare_map
from clipsvd_app.services.runs.preview import prepare_preview
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.patient_rules import parse_rule

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.jobs.requests import TrainRequest

BACKBONE = BackboneRef("demo", "/models/demo", "0" * 64)


@pytest.fixture
def files(picture, tmp_path: Path) -> list[Path]:
    """Twelve patients with two images each, one of each class; names in another order than contents."""
    return [
        picture(tmp_path / "in" / name / f"p{patient:02d}_{name}.png", 40 * patient + len(name))
        for patient in range(12)
        for name in ("mass", "normal")
    ]


def filled(path: Path, orders: list[list[Path]], classes: tuple[str, ...] = ("mass", "normal")):
    project = create_project(path)
    for name in classes:
        project.apply(AddClass(class_from_name(name)))
    for files in orders:
        project.apply(apply_import(project, plan_import(project, files, parse_rule(r"regex:^(p\d+)_"))))
    label_from_folders(project)
    return project


def request_of(project) -> TrainRequest:
    with project:
        return read_request(training_run.prepare(project, BACKBONE, "quick"))


def nameless(request: TrainRequest) -> TrainRequest:
    """The request without the numbers that images have in their project."""
    return replace(request, images=tuple(replace(image, id=0) for image in request.images))


def test_a_request_is_the_same_whatever_was_added_first(files, tmp_path: Path) -> None:
    once = filled(tmp_path / "a", [files])
    singly = filled(tmp_path / "b", [[file] for file in reversed(files)])
    assert [i.sha256 for i in once.images()] != [i.sha256 for i in singly.images()]
    first, second = request_of(once), request_of(singly)
    assert nameless(first) == nameless(second)
    assert first.images != second.images
    assert len({image.patient for image in first.images}) == 12


def test_preview_and_map_take_the_images_by_content_too(files, tmp_path: Path) -> None:
    paths = []
    for name, orders in (("a", [files]), ("b", [files[12:], files[:12]])):
        with filled(tmp_path / name, orders) as project:
            preview = prepare_preview(project.classes(), project.images(), BACKBONE)
            folders = preview, prepare_map(project.images(), BACKBONE)
        paths += [[image.path for image in read_request(folder).images] for folder in folders]
    assert paths[0] == paths[1] == paths[2] == paths[3]


def test_images_without_a_label_do_not_number_the_patients_anew(files, picture, tmp_path) -> None:
    before = {image.path: image.patient for image in request_of(filled(tmp_path / "a", [files])).images}
    more = [picture(tmp_path / "in" / "mass" / f"p{number}_x.png", 900 + number) for number in range(8, 20)]
    with filled(tmp_path / "b", [more, files]) as project:
        pool = [image.id for image in project.images() if image.path in map(str, more)]
        project.apply(set_labels(pool, None))
        request = read_request(training_run.prepare(project, BACKBONE, "quick"))
    after = {image.path: image.patient for image in request.images if image.label is not None}
    assert len(request.images) == len(before) + len(more)
    assert after == before


@pytest.mark.parametrize("seed", [0, 1])
def test_the_numbers_of_the_classes_draw_nothing(seed: int) -> None:
    labels = [0, 1, 1, 0, 2, 1, 0, 2, 2, 1, 0, 2, 1, 0, 2, 1]
    groups = [f"{place // 2:02d}" for place in range(16)]
    other = [(2, 0, 1)[label] for label in labels]
    assert draw_shots(labels, groups, 2, seed) == draw_shots(other, groups, 2, seed)
    assert folds_by_patient(labels, groups, 2, seed) == folds_by_patient(other, groups, 2, seed)
    assert balanced_batch(labels, 6, seed, 3) == balanced_batch(other, 6, seed, 3)


def test_every_run_draws_by_the_same_seed_unless_another_is_asked_for(files, tmp_path: Path) -> None:
    with filled(tmp_path / "a", [files]) as project:
        seeds = [
            read_request(training_run.prepare(project, BACKBONE, "quick", **asked)).seed
            for asked in ({}, {}, {"seed": 3})
        ]
    assert seeds == [training_run.SEED, training_run.SEED, 3]
