from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files import archives
from clipsvd_app.imaging.files.archive_paths import safe_paths
from clipsvd_app.imaging.files.discovery import find_files, look_through, natural_key


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(path, format="PNG")
    return path


def names(found: tuple[Path, ...]) -> list[str]:
    return [path.name for path in found]


def test_a_folder_is_walked_in_natural_order(tmp_path):
    for name in ("s10/a.png", "s2/a.png", "s2/a10.png", "s2/a9.png"):
        picture(tmp_path / name)
    found = [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path])]
    assert found == ["s2/a.png", "s2/a9.png", "s2/a10.png", "s10/a.png"]


def test_what_lies_beside_images_is_left_out_of_a_folder(tmp_path):
    picture(tmp_path / "kept.png")
    picture(tmp_path / "image_in_disguise.txt")
    (tmp_path / "broken.dcm").write_text("words")
    for noise in (
        ".hidden.png",
        "labels.csv",
        "meta.json",
        "Thumbs.db",
        "DICOMDIR",
        ".DS_Store",
        "notes.txt",
    ):
        (tmp_path / noise).write_text("words")
    picture(tmp_path / "__MACOSX" / "kept.png")
    picture(tmp_path / ".git" / "kept.png")
    assert names(find_files([tmp_path])) == ["broken.dcm", "image_in_disguise.txt", "kept.png"]


def test_files_named_directly_are_kept_so_that_each_can_be_refused(tmp_path):
    note = tmp_path / "notes.txt"
    note.write_text("words")
    missing = tmp_path / "gone.png"
    assert find_files([note, missing]) == (note, missing)


def test_a_file_is_found_once_however_often_it_is_named(tmp_path):
    path = picture(tmp_path / "a.png")
    assert find_files([path, tmp_path, path]) == (path,)


def test_links_that_go_round_do_not_go_round(tmp_path):
    path = picture(tmp_path / "a.png")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert find_files([tmp_path]) == (path,)


@given(st.lists(st.text(st.sampled_from("ab019²_"), min_size=1, max_size=6), max_size=8))
def test_natural_order_is_total(parts):
    keys = sorted(natural_key(Path(part)) for part in parts)
    assert len(keys) == len(parts)


def make_zip(path: Path, *members: str, source: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, source.read_bytes())
    return path


def test_an_archive_is_unpacked_once_below_the_cache(tmp_path):
    source = picture(tmp_path / "source" / "x.png")
    archive = make_zip(tmp_path / "images.zip", "benign/2.png", "benign/10.png", "notes.txt", source=source)
    (tmp_path / "source" / "x.png").unlink()
    cache = tmp_path / "cache"
    found = find_files([archive], unpack_into=cache)
    # notes.txt holds a picture here, so it is taken all the same.
    assert names(found) == ["2.png", "10.png", "notes.txt"]
    assert all(path.is_relative_to(cache) for path in found)
    assert find_files([archive], unpack_into=cache) == found
    assert not list(cache.rglob("unpacking-*"))


def test_an_archive_in_a_folder_is_opened(tmp_path):
    source = picture(tmp_path / "x" / "one.png")
    make_zip(tmp_path / "x" / "more.zip", "two.png", source=source)
    assert sorted(names(find_files([tmp_path / "x"], unpack_into=tmp_path / "cache"))) == [
        "one.png",
        "two.png",
    ]


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "..\\evil.png", "C:\\evil.png"]
)
def test_a_member_that_leads_out_of_the_folder_is_left_out_and_the_others_are_taken(tmp_path, name):
    source = picture(tmp_path / "x.png")
    archive = make_zip(tmp_path / "bad.zip", "fine.png", name, source=source)
    found = look_through([archive], unpack_into=tmp_path / "cache")
    assert names(found.files) == ["fine.png"]
    assert [item.reason for item in found.left_out] == ["zip_traversal"]
    assert not list(tmp_path.rglob("evil.png"))


@given(st.text(st.sampled_from("./\\:aC ?*\x01"), min_size=1, max_size=12))
def test_no_name_in_an_archive_leads_out_of_its_folder(name):
    (relative,) = safe_paths([name])
    assert not relative.is_absolute()
    assert (Path("/cache") / relative).resolve().is_relative_to("/cache")
    assert (Path("/cache") / relative).resolve() != Path("/cache")


def test_a_bad_archive_in_a_folder_does_not_hide_the_images_beside_it(tmp_path):
    source = picture(tmp_path / "study" / "1.png")
    (tmp_path / "study" / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    found = look_through([tmp_path / "study"], unpack_into=tmp_path / "cache")
    assert found.files == (source,)
    assert [item.sentence for item in found.left_out] == [
        "bad.zip is damaged or incomplete: its table of contents is missing."
        " Copy or download it again from its source."
    ]


def test_a_folder_named_like_a_file_of_a_disc_is_walked(tmp_path):
    path = picture(tmp_path / "version" / "1.png")
    assert find_files([tmp_path]) == (path,)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(5):
            made.writestr(f"{number}.dcm", bytes(2_000_000))
    with pytest.raises(UserError) as refused:
        archives.unpack_zip(archive, tmp_path / "cache", max_bytes=5_000_000)
    assert refused.value.code == "zip_too_large"
    assert not list((tmp_path / "cache").rglob("*.dcm"))


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    archive = make_zip(tmp_path / "many.zip", "1", "2", "3", source=picture(tmp_path / "x.png"))
    with pytest.raises(UserError, match="more than"):
        archives.unpack_zip(archive, tmp_path / "cache")


def test_a_damaged_archive_is_refused_with_a_remedy(tmp_path):
    archive = make_zip(tmp_path / "cut.zip", "1.png", source=picture(tmp_path / "x.png"))
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"cut\.zip is damaged"):
        archives.unpack_zip(archive, tmp_path / "cache")
