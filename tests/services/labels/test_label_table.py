from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.errors import UserError
from clipsvd_app.project import create_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.project.reading_changes import SetReadings
from clipsvd_app.services.labels.labels import set_labels, set_marks
from clipsvd_app.services.labels.table import plan_labels, write_labels
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def filled(project, picture, tmp_path: Path):
    for number in range(3):
        picture(tmp_path / "DOE JANE" / f"{number}.png", number)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "DOE JANE"])))
    for name in ("cyst", "mass"):
        project.apply(AddClass(class_from_name(name)))
    one, two, _ = (image.id for image in project.images())
    cyst, mass = (known.id for known in project.classes())
    project.apply(set_labels([one], cyst))
    project.apply(set_marks([two], "uncertain"))
    project.apply(SetReadings("B", {one: mass}))
    return project


def content(project):
    names = {known.id: known.name for known in project.classes()}
    own = [(image.sha256, names.get(image.class_id), image.mark) for image in project.images()]
    return own, [(reading.reader, names[reading.class_id]) for reading in project.readings()]


def test_what_is_written_can_be_read_into_another_project(filled, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    assert write_labels(filled, table) == 4
    with create_project(tmp_path / "other") as other:
        other.apply(apply_import(other, plan_import(other, [tmp_path / "DOE JANE"])))
        inverse = other.apply(plan_labels(other, table).change)
        assert content(other) == content(filled)
        other.apply(inverse)
        assert not other.classes()
        assert not other.readings()


def test_a_table_names_no_file_unless_it_is_asked_to(filled, tmp_path: Path) -> None:
    write_labels(filled, tmp_path / "plain.csv")
    write_labels(filled, tmp_path / "paths.csv", with_paths=True)
    assert "DOE" not in (tmp_path / "plain.csv").read_text()
    assert "DOE" in (tmp_path / "paths.csv").read_text()


def test_semicolons_and_a_column_of_marks_are_understood(filled, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path;class;mark\n0.png;;Excluded\n2.png;cyst;\n", encoding="utf-8-sig")
    filled.apply(plan_labels(filled, table).change)
    own, _ = content(filled)
    assert [(name, mark) for _, name, mark in own] == [
        ("cyst", "excluded"),
        (None, "uncertain"),
        ("cyst", ""),
    ]


@pytest.mark.parametrize(
    "text",
    ["path,finding\n0.png,cyst\n", "path,class,mark\n0.png,cyst,maybe\n", "path,class\n9.png,a\n", "path\n"],
)
def test_a_table_that_says_nothing_of_use_is_refused_with_a_remedy(filled, tmp_path: Path, text: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(UserError) as refused:
        plan_labels(filled, table)
    assert refused.value.remedy


def test_a_table_that_cannot_be_written_costs_one_sentence(filled, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_labels(filled, tmp_path / "nowhere" / "labels.csv")
