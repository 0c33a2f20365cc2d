from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clipsvd_app.domain.classes import class_from_name, class_key, clean_name, require_distinct
from clipsvd_app.errors import UserError
from clipsvd_app.project.class_changes import AddClass, ChangeClass
from clipsvd_app.project.table_changes import LabelByName
from clipsvd_app.services.labels.labels import parse_class
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from pathlib import Path

SPELLINGS = ("Ödem", "O\u0308dem", " ödem", "ÖDEM\u00a0", "O\u0308dem\u200b", "Öd\u00adem")


def test_what_looks_the_same_is_one_class() -> None:
    assert {class_key(name) for name in SPELLINGS} == {"ödem"}
    assert class_key("pleural  \t effusion") == class_key("Pleural Effusion")
    assert class_key("Ödem") != class_key("Odem")
    assert clean_name(SPELLINGS[1]) == "Ödem"


@pytest.mark.parametrize("name", SPELLINGS[1:])
def test_a_twin_of_a_class_is_refused_by_the_name_that_there_is(project, name: str) -> None:
    project.apply(AddClass(class_from_name("Ödem")))
    project.apply(AddClass(class_from_name("normal")))
    with pytest.raises(UserError, match="class “Ödem” already"):
        project.apply(AddClass(class_from_name(name)))
    with pytest.raises(UserError, match="class “Ödem” already"):
        project.apply(ChangeClass(project.class_named("normal").id, class_from_name(name)))
    with pytest.raises(UserError, match="class “Ödem” already"):
        require_distinct([class_from_name("Ödem"), class_from_name(name)])
    assert project.class_named(name).name == "Ödem"


def test_a_label_of_another_spelling_makes_no_second_class(project, picture, tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 1)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "a.png"])))
    (image,) = project.images()
    project.apply(AddClass(class_from_name("Ödem")))
    for name in (*SPELLINGS, "pleural  effusion", " Pleural effusion"):
        project.apply(LabelByName({image.id: name}, readings={"B": {image.id: name}}))
    assert [known.name for known in project.classes()] == ["Ödem", "pleural effusion"]


@pytest.mark.parametrize(
    ("typed", "name", "prompt"),
    [
        ("EF >=40 %", "EF >=40 %", None),
        ("EF <=40 %=a weak heart", "EF <=40 %", "a weak heart"),
        ("Ki-67>=20=many dividing cells, >=20 %", "Ki-67>=20", "many dividing cells, >=20 %"),
        ("a==b", "a==b", None),
        ("no  mass = nothing", "no mass", "nothing"),
    ],
)
def test_the_signs_of_a_comparison_belong_to_the_name(typed: str, name: str, prompt: str | None) -> None:
    found = parse_class(typed)
    assert found.name == name
    if prompt is not None:
        assert found.prompts == (prompt,)
