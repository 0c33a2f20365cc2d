from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_request
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, TrainRequest
from clipsvd_app.project.class_changes import AddClass, RemoveClass
from clipsvd_app.services.labels.labels import label_from_folders, parse_class, set_labels, set_marks
from clipsvd_app.services.labels.table import plan_labels
from clipsvd_app.services.runs import training_run
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from pathlib import Path

BACKBONE = BackboneRef("demo", "/models/demo", "0" * 64)


@pytest.fixture
def filled(project, picture, tmp_path: Path):
    for number, name in enumerate(["cyst", "cyst", "mass"]):
        picture(tmp_path / "in" / name / f"{number}.png", number)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "in"])))
    return project


def by_id(request: TrainRequest) -> list[ImageInput]:
    return sorted(request.images, key=lambda image: image.id)


def names(project) -> dict[str, str | None]:
    by_id = {known.id: known.name for known in project.classes()}
    return {
        image.path.rsplit("/", 1)[-1]: by_id.get(image.class_id) if image.class_id else None
        for image in project.images()
    }


def test_folders_name_the_classes(filled) -> None:
    report = label_from_folders(filled)
    assert report.labelled == (("cyst", 2), ("mass", 1))
    assert names(filled) == {"0.png": "cyst", "1.png": "cyst", "2.png": "mass"}


def test_a_table_labels_by_path_or_name_and_tells_what_fits_nothing(filled, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,class\nin/cyst/0.png,Normal\n2.png,Cyst\ngone.png,Cyst\n")
    plan = plan_labels(filled, table)
    filled.apply(plan.change)
    assert names(filled) == {"0.png": "Normal", "1.png": None, "2.png": "Cyst"}
    assert plan.report.unmatched == ("gone.png",)


def test_a_class_is_typed_with_or_without_its_prompt() -> None:
    assert parse_class("mass=a dark mass with spicules").prompts == ("a dark mass with spicules",)
    assert all("simple cyst" in prompt for prompt in parse_class("simple_cyst").prompts)


def test_training_is_refused_with_what_is_missing(filled) -> None:
    def refusal() -> str:
        with pytest.raises(UserError) as refused:
            training_run.prepare(filled, BACKBONE, "quick")
        assert refused.value.remedy
        return refused.value.message

    assert refusal() == "The project has no classes."
    filled.apply(AddClass(class_from_name("cyst")))
    assert refusal() == "Training needs at least two classes."
    filled.apply(AddClass(class_from_name("mass")))
    assert refusal() == "The class “cyst” has no images."
    first = filled.images()[0]
    filled.apply(set_labels([first.id], filled.class_named("cyst").id))
    assert refusal() == "The class “mass” has no images."


def test_an_empty_project_cannot_be_trained(project) -> None:
    with pytest.raises(UserError, match="no images"):
        training_run.prepare(project, BACKBONE, "quick")


def test_the_request_holds_every_image_and_patients_as_numbers(filled) -> None:
    label_from_folders(filled)
    filled.apply(set_labels([filled.images()[0].id], None))
    request = read_request(training_run.prepare(filled, BACKBONE, "quick", seed=3))
    assert isinstance(request, TrainRequest)
    assert [image.label for image in by_id(request)] == [None, 0, 1]
    assert all(image.patient.isdigit() for image in request.images)
    assert [entry.name for entry in request.classes] == ["cyst", "mass"]


def test_marked_images_train_nothing_and_excluded_ones_are_left_out(filled) -> None:
    label_from_folders(filled)
    first, second, _ = filled.images()
    filled.apply(set_marks([first.id], "uncertain"))
    filled.apply(set_marks([second.id], "excluded"))
    filled.apply(AddClass(class_from_name("other")))
    with pytest.raises(UserError, match="The class “cyst” has no image"):
        training_run.prepare(filled, BACKBONE, "quick")
    filled.apply(set_labels([second.id], filled.class_named("cyst").id))
    filled.apply(RemoveClass(filled.class_named("other").id))
    filled.apply(set_marks([second.id], ""))
    request = read_request(training_run.prepare(filled, BACKBONE, "quick"))
    assert [(image.id == first.id, image.label) for image in by_id(request)] == [
        (True, None),
        (False, 0),
        (False, 1),
    ]
