"""A DICOMDIR stands for the files that it lists, whatever a copy has made of their names."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pydicom
import pytest

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.discovery import look_through
from clipsvd_app.imaging.signature import sniff

if TYPE_CHECKING:
    from pathlib import Path


def write_index(folder: Path, *references: list[str]) -> Path:
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    index = pydicom.Dataset()
    index.file_meta = meta
    index.DirectoryRecordSequence = pydicom.Sequence()
    for reference in references:
        record = pydicom.Dataset()
        record.DirectoryRecordType = "IMAGE"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names that are not allowed are the point here
            record.add_new("ReferencedFileID", "CS", reference)
        index.DirectoryRecordSequence.append(record)
    folder.mkdir(parents=True, exist_ok=True)
    index.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x00" * 128 + b"DICM" + path.name.encode())
    return path


@pytest.mark.parametrize(
    ("listed", "lies"),
    [
        (["DICOM", "IM1"], "DICOM/IM1"),
        (["DICOM", "IM1"], "dicom/im1"),
        (["DICOM", "IM1"], "Dicom/Im1"),
        (["DICOM", "IM1"], "DICOM/IM1.dcm"),
        (["DICOM", "IM1"], "DICOM/im1.DCM"),
        (["DICOM", "IM1"], "DICOM/IM1;1"),
        (["DICOM", "IM1"], "DICOM/IM1.;1"),
        (["DICOM", "IM1"], "DICOM/im1.dcm;1"),
        (["DICOM", "IM1"], "DICOM/IM1.ima"),
        (["DICOM", "IM1;1"], "DICOM/IM1"),
        ([".", "DICOM", "IM1"], "DICOM/IM1"),
        (["DICOM/IM1"], "DICOM/IM1"),
        (["./DICOM/IM1"], "DICOM/IM1"),
        (["DICOM", "IM1.DCM"], "DICOM/im1.dcm"),
        (["DICOM", "IM1 "], "DICOM/IM1"),
    ],
)
def test_a_listed_file_is_found_under_the_name_it_has_now(tmp_path, listed, lies):
    file = put(tmp_path / lies)
    found = look_through([write_index(tmp_path, listed)])
    assert [path.resolve() for path in found.files] == [file.resolve()]
    assert [item.reason for item in found.left_out] == ["index_file"]


def test_the_exact_name_is_preferred_and_then_the_extension_of_dicom(tmp_path):
    exact, dicom = put(tmp_path / "IM1"), put(tmp_path / "IM2.dcm")
    for other in ("IM1.dcm", "im1", "IM2.jpg", "IM2.txt"):
        if not (tmp_path / other).exists():
            put(tmp_path / other)
    assert look_through([write_index(tmp_path, ["IM1"], ["IM2"])]).files == (exact, dicom)


def test_files_that_are_not_there_are_named_and_counted(tmp_path):
    file = put(tmp_path / "A" / "1")
    index = write_index(tmp_path, ["A", "1"], ["A", "2"], ["B", "3"], ["A", "2"])
    for named in (index, tmp_path):
        found = look_through([named])
        missing = [item for item in found.left_out if item.reason == "listed_missing"]
        assert found.files == (file,)
        assert [item.sentence.split(",")[0] for item in missing] == ["A/2", "B/3"]


@pytest.mark.parametrize(
    "listed", [["..", "SECRET"], ["C:", "SECRET"], ["LINK"], ["DICOM", "..", "..", "SECRET"]]
)
def test_what_lies_outside_the_folder_is_refused_and_counted(tmp_path, listed):
    secret = put(tmp_path / "SECRET")
    inside = tmp_path / "disc"
    (inside / "DICOM").mkdir(parents=True)
    (inside / "LINK").symlink_to(secret)
    found = look_through([write_index(inside, listed)])
    assert not found.files
    assert [item.reason for item in found.left_out] == ["index_file", "listed_outside"]


def test_a_listed_link_to_itself_does_no_harm(tmp_path):
    (tmp_path / "LOOP").symlink_to(tmp_path / "LOOP")
    found = look_through([write_index(tmp_path, ["LOOP"])])
    for file in found.files:
        with pytest.raises(UserError):
            sniff(file)


def test_files_beside_the_index_that_it_does_not_list_are_mentioned(tmp_path):
    listed = put(tmp_path / "A" / "1")
    put(tmp_path / "A" / "2")
    put(tmp_path / "3")
    (tmp_path / "readme.txt").write_text("a disc")
    found = look_through([write_index(tmp_path, ["A", "1"])])
    assert found.files == (listed,)
    assert found.notes == ("2 files beside DICOMDIR are not listed in it. Add the folder to include them.",)


def test_an_index_that_is_damaged_does_not_hide_what_is_named_beside_it(tmp_path):
    other = put(tmp_path / "other.dcm")
    index = write_index(tmp_path / "disc", ["A"])
    index.write_bytes(index.read_bytes()[:-40])
    found = look_through([index, other])
    assert other in found.files
    assert found.left_out
