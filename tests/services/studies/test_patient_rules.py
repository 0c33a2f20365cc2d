"""Who counts as one patient: by columns' names, true folders, levels; and what is said of it before."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipsvd_app.errors import UserError
from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.moved_files import plan_relink
from clipsvd_app.services.studies.patient_rules import parse_rule
from clipsvd_app.services.studies.rule_preview import preview_groups


@pytest.fixture
def scans(picture, tmp_path: Path) -> Path:
    for patient in range(3):
        for number in range(3):
            picture(tmp_path / "scans" / f"P{patient}" / f"{number}.png", 10 * patient + number)
    return tmp_path / "scans"


def add(project, rule: str, *paths: Path):
    plan = plan_import(project, paths, parse_rule(rule))
    project.apply(apply_import(project, plan))
    return plan


def patients(project) -> int:
    return len({image.patient_key for image in project.images()})


def table(folder: Path, text: str) -> str:
    (folder / "t.csv").write_text(text)
    return f"csv:{folder / 't.csv'}"


@pytest.mark.parametrize(
    "heading",
    ["path,class,patient", "patient;path;class", "Age,Subject ID,File name", "class\tPatientID\timage"],
)
def test_the_column_goes_by_its_name(project, scans: Path, heading: str) -> None:
    delimiter = next(mark for mark in ",;\t" if mark in heading)
    names = heading.split(delimiter)
    lines = [heading]
    for patient in range(3):
        for number in range(3):
            cells = {
                name: f"P{patient}/{number}.png" for name in names if name in ("path", "File name", "image")
            }
            cells |= {name: "c" for name in names if name in ("class", "Age")}
            lines.append(delimiter.join(cells.get(name, f"S{patient}") for name in names))
    add(project, table(scans, "\n".join(lines)), scans)
    assert patients(project) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,age\n0.png,50\n", "no column “patient”"),
        (
            "path,patient,subject\nP0/0.png,A,x\nP1/0.png,A,y\n",
            "2 different columns that could be the patient",
        ),
        ("P0/0.png,50,A\n", "3 columns and no header line"),
        ("path,patient\nP0/0.png,A\nP0/0.png,B\n", "to two patients"),
    ],
)
def test_a_table_that_leaves_the_patient_open_is_refused(scans: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_rule(table(scans, text))


def test_a_folder_is_one_patient_however_it_is_given(
    project, scans: Path, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "link").symlink_to(scans, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for number, base in enumerate((Path("scans"), scans, tmp_path / "link")):
        add(project, "folder", *(base / f"P{patient}" / f"{number}.png" for patient in range(3)))
        assert patients(project) == 3
    assert len(project.images()) == 9


@pytest.mark.parametrize("given", ["scans", "link", "absolute"])
def test_paths_of_a_table_are_found_however_the_folder_is_given(
    project, scans: Path, tmp_path: Path, monkeypatch, given: str
) -> None:
    (tmp_path / "link").symlink_to(scans, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    lines = [f"P{patient}/{number}.png,pat{patient}" for patient in range(3) for number in range(3)]
    rule = table(scans, "path,patient\n" + "\n".join(lines))
    add(project, rule, scans if given == "absolute" else Path(given))
    assert patients(project) == 3


def test_a_folder_that_was_moved_keeps_its_patient(project, scans: Path, tmp_path: Path) -> None:
    add(project, "folder", *(scans / f"P{patient}" / "0.png" for patient in range(3)))
    scans.rename(tmp_path / "moved")
    project.apply(plan_relink(project, tmp_path / "moved").change)
    add(project, "folder", tmp_path / "moved")
    assert (patients(project), len(project.images())) == (3, 9)


def test_nested_folders_go_by_level_and_are_told(project, picture, tmp_path: Path) -> None:
    for number, place in enumerate(("P1/left", "P1/right", "P2/left", "P2/right")):
        picture(tmp_path / "n" / place / "1.png", number)
    own = plan_import(project, [tmp_path / "n"], parse_rule("folder"))
    assert len(own.patients) == 4
    assert any("use folder:2" in said for said in own.warnings)
    above = plan_import(project, [tmp_path / "n"], parse_rule("folder:2"))
    assert len(above.patients) == 2
    preview = preview_groups(project, read_files([tmp_path / "n"]), parse_rule("folder:2"))
    assert {group.title for group in preview.groups} == {"P1", "P2"}


def test_a_group_that_took_no_part_names_nobody(project, picture, tmp_path: Path) -> None:
    for number, name in enumerate(("p1_a", "p1_b", "x_c", "y_d")):
        picture(tmp_path / f"{name}.png", number)
    plan = plan_import(project, [tmp_path], parse_rule(r"regex:^(?:p(\d)_)?"))
    assert sorted(count for _, count in plan.patients) == [1, 1, 2]


def test_a_rule_that_parts_a_folder_otherwise_says_so(project, scans: Path, picture) -> None:
    add(project, "folder", *(scans / f"P{patient}" / f"{n}.png" for patient in range(3) for n in (0, 1)))
    rest = [scans / f"P{patient}" / "2.png" for patient in range(3)]
    assert any("3 folders" in said for said in plan_import(project, rest).warnings)
    assert not plan_import(project, rest, parse_rule("folder")).warnings
    new = [picture(scans / "P9" / f"{number}.png", 90 + number) for number in range(2)]
    assert any("1 folder, such as “P9”" in said for said in plan_import(project, new).warnings)
    assert not plan_import(project, new, parse_rule("folder")).warnings
    again = plan_import(project, [scans], parse_rule(r"regex:^(\d)"))
    assert any("there they are 3" in said for said in again.warnings)


def test_lines_of_a_table_that_fit_nothing_or_too_much_are_counted(project, scans: Path) -> None:
    rule = parse_rule(table(scans, "path,patient\n0.png,A\n7.png,B\n"))
    said = " ".join(plan_import(project, [scans], rule).warnings)
    assert "1 line of the table matches several files" in said
    assert "1 line of the table matches no file" in said


def test_an_image_added_again_elsewhere_gets_its_new_path(project, scans: Path, tmp_path: Path) -> None:
    add(project, "folder", scans)
    before = project.images()
    scans.rename(tmp_path / "moved")
    plan = add(project, "folder", tmp_path / "moved")
    assert (len(plan.images), len(plan.moved)) == (0, 9)
    assert [image.id for image in project.images()] == [image.id for image in before]
    assert all((tmp_path / "moved").as_posix() in image.path for image in project.images())
