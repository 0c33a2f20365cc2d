"""Folders that were added together: which of them are classes, and what becomes of their images."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from support.films import film

from clipsvd_app.project import create_project
from clipsvd_app.services.labels.class_folders import (
    MASK_FILES,
    FolderChoice,
    chosen_files,
    class_folders,
    labels_by_content,
)
from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import labelled_import, plan_groups
from clipsvd_app.services.studies.patient_rules import PatientRule

if TYPE_CHECKING:
    from pathlib import Path


def draw(*paths: Path) -> None:
    """Write pictures that differ, whatever their paths are."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = zlib.crc32(str(path).encode())
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)).save(path)


def folders_of(*paths: Path, unpacked: Path | None = None):
    read = read_files(paths, unpack_into=unpacked)
    found = class_folders(paths, read, unpacked or paths[0])
    return read, found


def uses(*paths: Path, unpacked: Path | None = None) -> dict[str, tuple[int, str]]:
    found = folders_of(*paths, unpacked=unpacked)[1]
    return {} if found is None else {folder.name: (folder.images, folder.use) for folder in found.folders}


@pytest.mark.parametrize(
    "above", ["", "Dataset_with_GT", "a/b", "patients/x"], ids=["top", "one deeper", "two deeper", "any name"]
)
def test_the_folders_where_the_files_part_are_the_classes(tmp_path, above):
    top = tmp_path / "drop"
    draw(
        *(
            top / above / name / f"{n}.png"
            for name, most in (("benign", 3), ("normal", 2))
            for n in range(most)
        )
    )
    assert uses(top) == {"benign": (3, "class"), "normal": (2, "class")}


def test_folders_of_patients_below_a_class_do_not_hide_it(tmp_path):
    draw(*(tmp_path / name / f"p{n}" / "1.png" for name in ("benign", "malignant") for n in range(2)))
    assert uses(tmp_path) == {"benign": (2, "class"), "malignant": (2, "class")}


def test_train_and_test_are_no_classes_and_spellings_are_one(tmp_path):
    draw(*(tmp_path / part / name / "1.png" for part, name in (("train", "Benign"), ("test", "benign"))))
    draw(*(tmp_path / part / "normal" / "1.png" for part in ("train", "test")))
    assert {name.casefold(): count for name, (count, _) in uses(tmp_path).items()} == {
        "benign": 2,
        "normal": 2,
    }


def test_several_folders_dropped_together_are_the_classes(tmp_path):
    draw(tmp_path / "benign" / "1.png", tmp_path / "normal" / "1.png", tmp_path / "loose.png")
    assert uses(tmp_path / "benign", tmp_path / "normal", tmp_path / "loose.png") == {
        "benign": (1, "class"),
        "normal": (1, "class"),
    }


def test_an_archive_of_class_folders_and_archives_that_are_classes(tmp_path):
    for name in ("benign", "normal"):
        draw(tmp_path / "in" / name / "1.png")
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.write(tmp_path / "in" / name / "1.png", "1.png")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("benign", "normal"):
            archive.write(tmp_path / "in" / name / "1.png", f"set/{name}/1.png")
    wanted = {"benign": (1, "class"), "normal": (1, "class")}
    assert uses(tmp_path / "all.zip", unpacked=tmp_path / "room") == wanted
    assert uses(tmp_path / "benign.zip", tmp_path / "normal.zip", unpacked=tmp_path / "room2") == wanted


@pytest.mark.parametrize("name", ["masks", "Segmentation", "ground_truth", "lesion masks", "roi"])
def test_folders_of_masks_are_not_wanted_at_first(tmp_path, name):
    draw(*(tmp_path / folder / "1.png" for folder in ("benign", "normal", name)))
    read, found = folders_of(tmp_path)
    assert found is not None
    assert found.suggested() == FolderChoice(True, frozenset({name}))
    chosen = chosen_files(read, found, found.suggested())
    assert len(chosen.found) == 2
    assert [item.reason for item in chosen.left_out] == ["not_chosen"]


def test_masks_beside_their_images_are_one_row_of_their_own(tmp_path):
    draw(
        *(
            tmp_path / c / f"{c} (1){end}.png"
            for c in ("benign", "normal")
            for end in ("", "_mask", "_mask_1")
        )
    )
    draw(tmp_path / "benign" / "unmasked.png")
    assert uses(tmp_path)[MASK_FILES] == (4, "left_out")
    assert uses(tmp_path)["benign"] == (2, "class")


def test_images_of_unlabelled_are_added_without_a_label(tmp_path):
    draw(*(tmp_path / folder / "1.png" for folder in ("benign", "normal", "unlabelled")))
    read, found = folders_of(tmp_path)
    assert found is not None
    assert len(chosen_files(read, found, found.suggested()).found) == 3
    assert sorted(labels_by_content(read, found, found.suggested()).values()) == ["benign", "normal"]


@pytest.mark.parametrize(
    "names",
    [
        ("P001", "P002", "P003"),
        ("case 1", "case 2"),
        ("1.2.840.113619", "1.2.840.113620"),
        ("3f2a9c1d", "88ab01ce"),
        ("only",),
        ("masks", "images"),
    ],
)
def test_what_is_named_like_patients_or_parts_is_no_class(tmp_path, names):
    draw(*(tmp_path / name / "1.png" for name in names))
    assert folders_of(tmp_path)[1] is None


def test_grades_are_offered_and_not_presumed(tmp_path):
    draw(*(tmp_path / str(grade) / f"{n}.png" for grade in range(3) for n in range(6)))
    found = folders_of(tmp_path)[1]
    assert found is not None
    assert not found.suggested().as_classes


def test_folders_of_one_patient_each_are_offered_and_not_presumed(tmp_path):
    for place, name in enumerate(("smith", "jones")):
        for number in range(2):
            film(tmp_path / name / f"{number}.dcm", name, 10 * place + number)
    found = folders_of(tmp_path)[1]
    assert found is not None
    assert not found.suggested().as_classes


def test_an_image_in_two_class_folders_gets_no_label(tmp_path):
    draw(tmp_path / "benign" / "1.png", tmp_path / "normal" / "2.png")
    (tmp_path / "normal" / "copy.png").write_bytes((tmp_path / "benign" / "1.png").read_bytes())
    read, found = folders_of(tmp_path)
    assert found is not None
    assert list(labels_by_content(read, found, FolderChoice(as_classes=True)).values()) == ["normal"]


def test_images_and_labels_come_and_go_in_one_step_and_nothing_vanishes(tmp_path):
    draw(*(tmp_path / "in" / folder / "1.png" for folder in ("benign", "normal", "masks")))
    read, found = folders_of(tmp_path / "in")
    assert found is not None
    chosen = chosen_files(read, found, found.suggested())
    with create_project(tmp_path / "p.clipsvd") as project:
        plan = plan_groups(project, chosen, PatientRule())
        assert (plan.account.found, plan.account.taken, plan.account.left_out) == (3, 2, {"not_chosen": 1})
        change = labelled_import(project, plan, labels_by_content(chosen, found, found.suggested()))
        assert change is not None
        undo = project.apply(change)
        names = {known.id: known.name for known in project.classes()}
        assert [names[image.class_id] for image in project.images() if image.class_id] == ["benign", "normal"]
        redo = project.apply(undo)
        assert (project.images(), project.classes()) == ((), ())
        project.apply(redo)
        assert [image.class_id is None for image in project.images()] == [False, False]


def test_labels_that_are_there_stay(tmp_path):
    draw(*(tmp_path / "in" / folder / "1.png" for folder in ("benign", "normal")))
    read, found = folders_of(tmp_path / "in")
    assert found is not None
    labels = labels_by_content(read, found, FolderChoice(as_classes=True))
    with create_project(tmp_path / "p.clipsvd") as project:
        first = labelled_import(project, plan_groups(project, read, PatientRule()), labels)
        assert first is not None
        project.apply(first)
        before = [image.class_id for image in project.images()]
        other = dict.fromkeys(labels, "something else")
        again = labelled_import(project, plan_groups(project, read, PatientRule()), other)
        assert again is not None
        project.apply(again)
        assert [image.class_id for image in project.images()] == before
