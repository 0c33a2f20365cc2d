"""What a project from dropped files is called and where it lies; and that half of one never stays."""

from __future__ import annotations

import os
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.films import film

from clipsvd_app.project import create_project, glance_at
from clipsvd_app.services.projects.new_project import (
    LONGEST_NAME,
    PROJECTS_FOLDER,
    Place,
    forget_unpacked,
    moved_unpacked,
    place_fault,
    suggested_name,
    suggested_place,
    unmake,
)
from clipsvd_app.services.studies.found_files import read_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    film(tmp_path / "images" / "BUSI" / "a.dcm", "A", 1)
    return tmp_path / "images" / "BUSI"


def test_the_name_is_that_of_what_was_dropped(tmp_path, images):
    (tmp_path / "set 2.zip").write_bytes(b"")
    assert suggested_name([images]) == "BUSI"
    assert suggested_name([tmp_path / "set 2.zip"]) == "set 2"
    assert suggested_name([images / "a.dcm"]) == "BUSI"
    assert suggested_name([images, images.parent / "other"]) == "images"


def test_the_first_fit_folder_is_taken_and_a_free_name_in_it(tmp_path, images):
    other = tmp_path / "projects"
    other.mkdir()
    assert suggested_place([images], [images, images / "deeper", other]) == Place(other, "BUSI")
    (other / "BUSI.clipsvd").write_bytes(b"")
    assert suggested_place([images], [other]) == Place(other, "BUSI 2")
    (other / "BUSI 2 images").mkdir()
    assert suggested_place([images], [other]) == Place(other, "BUSI 3")


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "con", "LPT1.x", "dot.", "n" * (LONGEST_NAME + 1)])
def test_names_that_some_system_does_not_take_are_refused_everywhere(tmp_path, name):
    error = place_fault(Place(tmp_path, name), [])
    assert error is not None
    assert error.code == "project_name"


def test_what_is_taken_is_named(tmp_path):
    (tmp_path / "p images").mkdir()
    (tmp_path / "q.clipsvd").write_bytes(b"")
    for name, taken in (("p", "“p images” already exists"), ("q", "“q.clipsvd” already exists")):
        assert taken in str(place_fault(Place(tmp_path, name), []))


def test_a_place_among_the_images_is_refused_through_links_too(tmp_path, images):
    error = place_fault(Place(images / "new", "p"), [images])
    assert error is not None
    assert error.code == "project_place"
    if hasattr(os, "symlink") and sys.platform != "win32":
        (tmp_path / "link").symlink_to(images)
        assert place_fault(Place(tmp_path / "link", "p"), [images]) is not None
    assert place_fault(Place(tmp_path, "p"), [images]) is None


def test_what_came_out_of_an_archive_goes_with_the_project_or_goes(tmp_path, images):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(images / "a.dcm", "x/a.dcm")
    room = tmp_path / "room"
    read = read_files([tmp_path / "set.zip"], unpack_into=room)
    own = moved_unpacked(read, room, tmp_path / "p images")
    assert [item.path.is_file() for item in own.found] == [True]
    assert own.found[0].path.is_relative_to(tmp_path / "p images")
    assert not read.found[0].path.exists()
    read = read_files([tmp_path / "set.zip"], unpack_into=room)
    forget_unpacked(read, room)
    assert not any((room / "archives").iterdir())


def test_a_project_that_is_not_wanted_leaves_nothing(tmp_path):
    project = create_project(tmp_path / PROJECTS_FOLDER / "p.clipsvd")
    project.images_folder.mkdir()
    unmake(project)
    assert list(tmp_path.iterdir()) == []


def test_a_glance_neither_locks_nor_changes_a_project_and_needs_no_lock(tmp_path):
    with create_project(tmp_path / "p.clipsvd"):  # its writer holds it
        before = (tmp_path / "p.clipsvd").stat()
        assert (glance_at(tmp_path / "p.clipsvd").images, glance_at(tmp_path / "p.clipsvd").classes) == (0, 0)
    after = (tmp_path / "p.clipsvd").stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)
    beside = {path.name for path in tmp_path.iterdir()}
    glance_at(tmp_path / "p.clipsvd")
    assert {path.name for path in tmp_path.iterdir()} == beside
