"""What folders and tables claim of images: what fits, what contradicts itself, what stays as it is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from clipsvd_app.cli.main import main
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.spelling import is_slip
from clipsvd_app.errors import UserError
from clipsvd_app.project import open_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.labels import plan_folders, set_labels, set_marks
from clipsvd_app.services.labels.table import plan_labels
from clipsvd_app.services.runs.weaknesses import weaknesses
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from pathlib import Path


def add(project, *paths: Path):
    plan = plan_import(project, paths)
    project.apply(apply_import(project, plan))
    return plan


def named(project) -> dict[str, str | None]:
    names = {known.id: known.name for known in project.classes()}
    return {"/".join(image.path.split("/")[-2:]): names.get(image.class_id) for image in project.images()}


def by_table(project, folder: Path, *lines: str, **more):
    table = folder / "labels.csv"
    table.write_text("\n".join(("path,class", *lines)) + "\n")
    return plan_labels(project, table, **more)


@pytest.fixture
def filled(project, picture, tmp_path: Path):
    for number, place in enumerate(("benign/1", "benign/2", "malignant/2", "malignant/3")):
        picture(tmp_path / "d" / f"{place}.png", number)
    add(project, *(tmp_path / "d" / f"{place}.png" for place in ("benign/1", "benign/2", "malignant/2")))
    return project


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("benign/1.png", 1),
        ("benign\\1.png", 1),
        ("./d//benign/1.png", 1),
        ("1.png", 1),
        ("malignant/1.png", 0),
        ("other/d/benign/1.png", 0),
        ("/elsewhere/d/benign/1.png", 0),
        ("3.png", 0),
        ("2.png", None),
    ],
)
def test_folders_in_a_path_are_a_claim(filled, tmp_path: Path, line: str, fits: int | None) -> None:
    report = by_table(filled, tmp_path, f"{line},cyst", "malignant/2.png,mass").report
    assert dict(report.labelled).get("cyst", 0) == (fits or 0)
    assert report.unmatched == ((line,) if fits == 0 else ())
    assert report.ambiguous == ((line,) if fits is None else ())


def test_a_file_beside_the_table_is_meant_before_one_of_its_name(filled, picture, tmp_path: Path) -> None:
    picture(tmp_path / "new" / "benign" / "1.png", 77)
    shutil.copy(tmp_path / "d" / "benign" / "2.png", tmp_path / "new" / "benign" / "copy.png")
    report = by_table(filled, tmp_path / "new", "benign/1.png,mass", "benign/copy.png,cyst").report
    assert report.labelled == (("cyst", 1),)
    assert report.unmatched == ("benign/1.png",)


def test_lines_that_contradict_each_other_change_nothing(filled, tmp_path: Path) -> None:
    lines = ("benign/1.png,cyst", "1.png,mass", "benign/2.png,cyst", "d/benign/2.png, Cyst")
    plan = by_table(filled, tmp_path, *lines)
    assert plan.report.contradictory == ("1.png",)
    assert plan.report.labelled == (("cyst", 1),)
    filled.apply(plan.change)
    assert named(filled)["benign/1.png"] is None
    assert any("several classes" in sentence for sentence in plan.report.sentences())


def test_a_mistyped_class_is_left_out_unless_it_is_meant(filled, tmp_path: Path) -> None:
    filled.apply(AddClass(class_from_name("malignant")))
    lines = ("benign/1.png,malignat", "benign/2.png,benign")
    report = by_table(filled, tmp_path, *lines).report
    assert report.slips == (("malignat", "malignant", 1),)
    assert report.new_classes == ("benign",)
    assert by_table(filled, tmp_path, *lines, new_classes=True).report.new_classes == ("benign", "malignat")


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("malignant", "malginant", True),
        ("Pleural effusion", "pleural efusion", True),
        ("pleural effusion", "pleuraleffusion", True),
        ("grade 1", "grade 2", False),
        ("type A", "type B", False),
        ("typical", "atypical", False),
        ("normal", "abnormal", False),
        ("hypoechoic", "hyperechoic", False),
        ("Cyst", "cyst", False),
    ],
)
def test_what_counts_as_a_slip(one: str, other: str, slip: bool) -> None:
    assert is_slip(one, other) is slip
    assert is_slip(other, one) is slip


def test_folders_never_take_back_what_a_reader_decided(filled, tmp_path: Path) -> None:
    filled.apply(plan_folders(filled).change)
    one, two, three = filled.images()
    filled.apply(set_labels([one.id], filled.class_named("malignant").id))
    filled.apply(set_marks([three.id], "excluded"))
    before = filled.images()
    add(filled, tmp_path / "d" / "malignant" / "3.png")
    plan = plan_folders(filled)
    assert (plan.report.labelled, plan.report.kept) == ((("malignant", 1),), 2)
    filled.apply(plan.change)
    assert filled.images([image.id for image in before]) == before
    assert plan_folders(filled).report.labelled == ()
    forced = plan_folders(filled, overwrite=True).report
    assert (forced.replaced, forced.unmarked, forced.kept) == (1, 1, 0)
    assert two.id in {image.id for image in before}


def test_one_file_in_folders_of_two_classes_gets_neither(filled, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "d" / "malignant" / "3.png", tmp_path / "d" / "benign" / "x.png")
    shutil.copy(tmp_path / "d" / "malignant" / "3.png", tmp_path / "d" / "malignant" / "y.png")
    plan = add(filled, tmp_path / "d")
    assert any("1 image is in folders with different names" in said for said in plan.warnings)
    report = plan_folders(filled).report
    assert report.contradictory == ("x.png",)
    assert report.labelled == (("benign", 2), ("malignant", 1))
    lines = ("benign/x.png,benign", "malignant/y.png,malignant")
    assert by_table(filled, tmp_path, *lines).report.contradictory == ("x.png",)


def test_twins_with_opposite_labels_are_counted(filled, tmp_path: Path) -> None:
    twin = tmp_path / "d" / "malignant" / "twin.bmp"
    Image.open(tmp_path / "d" / "benign" / "1.png").save(twin)
    add(filled, twin)
    plan = plan_folders(filled)
    assert plan.report.opposite == 1
    filled.apply(plan.change)
    found = {weakness.code: weakness.count for weakness in weaknesses(filled, filled.images(), locked=False)}
    assert found["opposite_labels"] == 1


def test_a_dry_run_says_all_and_changes_nothing(filled, capsys) -> None:
    path = filled.path
    filled.close()
    assert main(["label", str(path), "--from-folders", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "benign" in said.out
    assert "Nothing was changed" in said.out
    with open_project(path) as project:
        assert not project.classes()


def test_nothing_fits_is_said_as_before(filled, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No image of the project matches"):
        by_table(filled, tmp_path, "gone.png,cyst")
