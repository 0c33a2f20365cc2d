from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import apply_import, plan_groups
from clipsvd_app.services.studies.look_alikes import look_alikes
from clipsvd_app.services.studies.patient_rules import PatientRule, parse_rule
from clipsvd_app.services.studies.rule_preview import must_ask, preview_groups

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pictures(picture, tmp_path: Path) -> Path:
    for number, name in enumerate(["x/7_a.png", "x/7_b.png", "y/9_a.png"]):
        picture(tmp_path / "in" / name, number)
    return tmp_path / "in"


def test_files_are_read_once_and_grouped_by_any_rule(project, pictures: Path) -> None:
    read = read_files([pictures])
    by_name = preview_groups(project, read, parse_rule(r"regex:^(\d+)_"))
    assert [(group.title, group.files) for group in by_name.groups] == [("7", 2), ("9", 1)]
    assert by_name.groups[0].examples == ("7_a.png", "7_b.png")
    assert (by_name.sentence, by_name.warning) == ("3 files, 2 patients", "")
    by_folder = preview_groups(project, read, PatientRule("folder"))
    assert [group.title for group in by_folder.groups] == ["x", "y"]
    assert not project.images()


def test_the_preview_is_what_the_import_then_does(project, pictures: Path) -> None:
    read = read_files([pictures])
    for rule in (PatientRule(), PatientRule("folder"), parse_rule(r"regex:^(\d+)_")):
        plan = plan_groups(project, read, rule)
        assert len(preview_groups(project, read, rule).groups) == len({i.patient_key for i in plan.images})


def test_pictures_without_a_patient_are_asked_about_until_a_rule_says(project, pictures: Path) -> None:
    read = read_files([pictures])
    assert must_ask(read, PatientRule())
    assert "do not identify the patient" in preview_groups(project, read, PatientRule()).warning
    assert not must_ask(read, parse_rule(r"regex:^(\d+)_"))
    assert must_ask(read, parse_rule("regex:^(nothing)"))


def test_one_picture_is_taken_without_a_question(picture, tmp_path: Path) -> None:
    assert not must_ask(read_files([picture(tmp_path / "a.png", 1)]), PatientRule())


def test_one_patient_of_several_files_is_warned_of(project, picture, tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / "one" / f"{number}.png", number)
    preview = preview_groups(project, read_files([tmp_path / "one"]), PatientRule("folder"))
    assert "only one patient" in preview.warning


def test_pictures_that_look_alike_know_of_each_other(project, picture, tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 1)
    picture(tmp_path / "a_again.png", 1, change=3)
    picture(tmp_path / "b.png", 2)
    plan = plan_groups(project, read_files([tmp_path]), PatientRule("folder"))
    project.apply(apply_import(project, plan))
    ids = {image.path.rsplit("/", 1)[-1]: image.id for image in project.images()}
    assert look_alikes(project.images()) == {
        ids["a.png"]: (ids["a_again.png"],),
        ids["a_again.png"]: (ids["a.png"],),
    }
