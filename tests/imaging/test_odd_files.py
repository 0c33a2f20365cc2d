"""What a file system can hold beside images: each is counted, and none stops or hangs the search."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from support.zip_files import Entry, zip_of

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files import discovery, held_folder
from clipsvd_app.imaging.files.discovery import look_through
from clipsvd_app.imaging.files.hashes import file_sha256
from clipsvd_app.imaging.files.left_out import quiet_words
from clipsvd_app.imaging.signature import sniff

DICOM = b"\x00" * 128 + b"DICM"
posix = pytest.mark.skipif(sys.platform == "win32", reason="no pipes or links without rights there")


def put(path: Path, data: bytes = DICOM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def reasons(found) -> dict[str, str]:
    return {Path(item.path).name: item.reason for item in found.left_out}


def test_every_hidden_and_system_file_is_counted(tmp_path):
    kept = put(tmp_path / "1.dcm")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._1.dcm", "__MACOSX/x/._1.dcm", "__MACOSX/2.dcm"):
        put(tmp_path / name, b"noise")
    for name in (".hidden.dcm", ".git/objects/ab", ".git/config"):
        put(tmp_path / name)
    put(tmp_path / "notes.txt", b"words")
    put(tmp_path / "p.clipsvd", b"words")
    found = look_through([tmp_path])
    assert found.files == (kept,)
    assert len(found.left_out) == 11
    counts: dict[str, int] = {}
    for item in found.left_out:
        counts[item.reason] = counts.get(item.reason, 0) + item.count
    assert counts == {"system_file": 6, "hidden_file": 3, "other_file": 1, "own_file": 1}
    assert quiet_words({"system_file": 6, "other_file": 1}) == "6 system files, 1 other file"


@posix
def test_pipes_sockets_and_broken_links_are_named_and_never_waited_for(tmp_path, monkeypatch):
    kept = put(tmp_path / "1.dcm")
    os.mkfifo(tmp_path / "pipe.dcm")
    os.mkfifo(tmp_path / "pipe.zip")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.dcm")
        (tmp_path / "broken.dcm").symlink_to(tmp_path / "gone.dcm")
        (tmp_path / "self.dcm").symlink_to("self.dcm")
        found = look_through([tmp_path])
    assert found.files == (kept,)
    assert reasons(found) == {
        "pipe.dcm": "device",
        "pipe.zip": "device",
        "socket.dcm": "device",
        "broken.dcm": "missing",
        "self.dcm": "missing",
    }
    with pytest.raises(UserError, match="device or pipe"):
        sniff(look_through([tmp_path / "pipe.zip"]).files[0])


@posix
def test_links_to_folders_are_not_followed_and_those_that_lead_elsewhere_are_named(tmp_path):
    kept = put(tmp_path / "in" / "1.dcm")
    put(tmp_path / "elsewhere" / "2.dcm")
    (tmp_path / "in" / "round").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "away").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    found = look_through([tmp_path / "in"])
    assert found.files == (kept,)
    said = {Path(item.path).name: bool(item.sentence) for item in found.left_out}
    assert said == {"round": False, "away": True}


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="names are always UTF-8 there")
def test_names_that_are_no_unicode_are_refused_in_words_that_can_be_written(tmp_path):
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.dcm")))
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xf6se/1.dcm")))
    kept = put(tmp_path / "ok.dcm")
    found = look_through([tmp_path])
    assert found.files == (kept,)
    assert [item.reason for item in found.left_out] == ["name_not_text"] * 2
    for item in found.left_out:
        (item.path + item.sentence).encode("utf-8")


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    kept = put(tmp_path / "1.dcm")
    (tmp_path / "closed").mkdir()
    listing = os.scandir

    def scan(folder):
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied", str(folder))
        return listing(folder)

    monkeypatch.setattr(os, "scandir", scan)
    found = look_through([tmp_path])
    assert found.files == (kept,)
    assert reasons(found) == {"closed": "no_permission"}


@pytest.mark.parametrize("name", ["a" * 400, "a" * 5000, "x/" * 3000 + "y", "nul\x00byte", "gone"])
def test_a_path_that_cannot_be_is_refused_in_a_sentence(tmp_path, name):
    (file,) = look_through([tmp_path / name]).files
    for ask in (sniff, file_sha256):
        with pytest.raises(UserError):
            ask(file)


def test_a_sentence_stays_one_line_whatever_a_file_is_called(tmp_path):
    error = UserError("one\ntwo\u202e\x1b[31m\udce9 is empty.", remedy="Copy it again.")
    assert error.message.isprintable()
    assert str(error).encode("utf-8")


def test_a_file_named_in_many_ways_is_found_once(tmp_path, monkeypatch):
    put(tmp_path / "in" / "1.dcm")
    monkeypatch.chdir(tmp_path)
    ways = [Path("in"), tmp_path / "in", Path("in/1.dcm"), Path("./in/1.dcm")]
    assert len(look_through(ways).files) == 1


def test_an_archive_given_twice_counts_its_files_as_copies(tmp_path):
    data = zip_of(Entry(b"1.dcm", DICOM), Entry(b"2.dcm", DICOM + b"2"))
    put(tmp_path / "a.zip", data)
    put(tmp_path / "b.zip", data)
    found = look_through([tmp_path], unpack_into=tmp_path.parent / "images")
    assert len(found.files) == 2
    assert [item.reason for item in found.left_out] == ["copy", "copy"]


def test_an_archive_named_twice_is_found_once(tmp_path):
    put(tmp_path / "in" / "a.zip", zip_of(Entry(b"1.dcm", DICOM)))
    found = look_through([tmp_path / "in", tmp_path / "in" / "a.zip"], unpack_into=tmp_path / "images")
    assert (len(found.files), found.left_out) == (1, ())


def test_bad_members_of_one_name_are_counted_each(tmp_path):
    bad = Entry(b"1.dcm", DICOM, crc=1)
    archive = put(tmp_path / "a.zip", zip_of(bad, bad, Entry(b"1.dcm", DICOM)))
    found = look_through([archive], unpack_into=tmp_path / "images")
    assert (len(found.files), len(found.left_out)) == (1, 2)


def test_an_archive_of_nothing_is_said(tmp_path):
    empty = put(tmp_path / "a.zip", zip_of(Entry(b"folder/", b"", 0)))
    (left,) = look_through([empty], unpack_into=tmp_path / "images").left_out
    assert left.sentence == "a.zip contains no files. Choose another archive."


def test_a_walk_that_comes_back_to_a_folder_ends(tmp_path, monkeypatch):
    put(tmp_path / "a" / "1.dcm")
    put(tmp_path / "b" / "2.dcm")
    monkeypatch.setattr(discovery, "_was_seen", lambda folder, seen: folder.name == "b")
    found = look_through([tmp_path])
    assert [file.name for file in found.files] == ["1.dcm"]
    assert reasons(found) == {"b": "folder_link"}


def test_the_folder_of_a_killed_process_is_swept(tmp_path):
    left = tmp_path / "clipsvd-archives-0123"
    put(left / "patient.dcm")
    put(tmp_path / "clipsvd-archives-0123.lock", b"")
    folder, lock = held_folder.held_folder(tmp_path, "clipsvd-archives-")
    held_folder.sweep(tmp_path, "clipsvd-archives-")
    assert not left.exists()
    assert folder.exists()
    held_folder.drop(folder, lock)
    assert not list(tmp_path.iterdir())
