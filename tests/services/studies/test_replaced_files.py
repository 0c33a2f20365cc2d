"""Files replaced under the name of an image: noticed wherever its pixels are read, and cheaply."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files import known_hashes
from clipsvd_app.imaging.files.hashes import file_sha256
from clipsvd_app.imaging.files.known_hashes import known_sha256, require_content
from clipsvd_app.jobs.requests import ImageInput
from clipsvd_app.services.files.job_folders import image_input
from clipsvd_app.services.studies.changed_files import changed_images, changed_sentence
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.moved_files import lost_images, plan_relink

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def filled(project, picture, tmp_path: Path):
    for number in range(3):
        picture(tmp_path / "d" / f"{number}.png", number)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "d"])))
    return project


def test_another_file_under_the_same_name_is_noticed(filled, picture, tmp_path: Path) -> None:
    one, two, _ = filled.images()
    assert not changed_images(filled.images())
    picture(tmp_path / "d" / "0.png", 70)
    (tmp_path / "d" / "1.png").touch()
    assert changed_images(filled.images()) == {one.id}
    assert changed_sentence(1, 3).startswith("1 of 3 images was replaced by")
    assert not changed_sentence(0, 3)
    assert not changed_images(filled.images(), most_bytes=10), "no more is read than asked for"
    with pytest.raises(UserError, match=r"0\.png was replaced by a different file"):
        require_content(tmp_path / "d" / "0.png", image_input(one, None).sha256)
    require_content(tmp_path / "d" / "1.png", image_input(two, None).sha256)
    require_content(tmp_path / "d" / "0.png", ImageInput(1, "", 0, "").sha256)


def test_the_labelled_file_is_found_again_by_its_content(filled, picture, tmp_path: Path) -> None:
    (tmp_path / "d" / "0.png").rename(tmp_path / "kept.png")
    picture(tmp_path / "d" / "0.png", 70)
    first = filled.images()[0]
    assert lost_images(filled.images()) == {first.id}
    filled.apply(plan_relink(filled, tmp_path).change)
    assert filled.images([first.id])[0].path == str(tmp_path / "kept.png")
    assert not lost_images(filled.images())


def test_a_replaced_file_that_is_added_again_is_another_image(filled, picture, tmp_path: Path) -> None:
    picture(tmp_path / "d" / "0.png", 70)
    plan = plan_import(filled, [tmp_path / "d"])
    assert (len(plan.images), len(plan.moved)) == (1, 0)


def test_an_unchanged_file_is_hashed_once_and_a_changed_one_again(tmp_path: Path, monkeypatch) -> None:
    file, read = tmp_path / "a.bin", []
    file.write_bytes(b"one")
    monkeypatch.setattr(known_hashes, "_UNSURE_S", -1.0)
    monkeypatch.setattr(known_hashes, "file_sha256", lambda path: read.append(path) or file_sha256(path))
    first = known_sha256(file)
    monkeypatch.setattr(known_hashes, "_NOTES", known_hashes._Notes())  # as another process begins
    assert known_sha256(file) == first
    assert len(read) == 1
    status = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert known_sha256(file) != first, "the same size and time of change, and yet another file"
    assert len(read) == 2


def test_what_is_noted_of_a_file_names_neither_its_path_nor_its_time(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "DOE JANE.bin"
    file.write_bytes(b"pixels")
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(known_hashes, "_UNSURE_S", -1.0)
    sha256 = known_sha256(file)
    (notes,) = (tmp_path / "home").rglob("files.txt")
    state, kept = notes.read_text().split()
    assert kept == sha256
    assert len(state) == 64
    notes.write_text(f"{'0' * 64} no hash\n\x00\n")
    monkeypatch.setattr(known_hashes, "_NOTES", known_hashes._Notes())
    assert known_sha256(file) == sha256
