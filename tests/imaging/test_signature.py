from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.reading import read_frame, read_header
from clipsvd_app.imaging.signature import sniff


@pytest.mark.parametrize(
    ("kind", "name"), [("PNG", "a.dcm"), ("JPEG", "b.png"), ("TIFF", "c"), ("BMP", "d.txt")]
)
def test_a_picture_is_known_by_its_content_and_not_by_its_name(tmp_path, kind, name):
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / name, format=kind)
    assert sniff(tmp_path / name) == kind
    assert (read_header(tmp_path / name).rows, read_header(tmp_path / name).columns) == (4, 5)


def test_dicom_is_known_with_and_without_its_preamble(write_dicom, tmp_path):
    whole = write_dicom(np.zeros((4, 4), np.uint16))
    assert sniff(whole) == "DICOM"
    bare = tmp_path / "bare"
    content = whole.read_bytes()
    meta_bytes = 132 + 12 + int.from_bytes(content[140:144], "little")
    bare.write_bytes(content[meta_bytes:])
    assert sniff(bare) == "DICOM"
    assert read_frame(bare).pixels.shape == (4, 4)


def test_a_gzipped_nifti_is_a_volume(tmp_path):
    head = bytearray(400)
    head[344:348] = b"n+1\x00"
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(bytes(head)))
    assert sniff(path) == "volume"


def test_an_archive_of_something_else_is_no_volume(tmp_path):
    path = tmp_path / "notes.gz"
    path.write_bytes(gzip.compress(b"words" * 400))
    with pytest.raises(UserError):
        sniff(path)


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "empty_file", "empty"),
        (b"Patient has a mass.\n", "not_an_image", "a text file"),
        (b"%PDF-1.7" + bytes(99), "not_an_image", "PDF"),
        (b"PK\x03\x04" + bytes(99), "not_an_image", "ZIP"),
        (bytes(5000), "not_an_image", "not a supported image"),
    ],
)
def test_what_is_no_image_is_refused_by_what_it_is(tmp_path, content, code, word):
    path = tmp_path / "named.dcm"
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        read_header(path)
    assert refused.value.code == code
    assert word in refused.value.message
    assert refused.value.remedy


def test_a_folder_in_a_files_place_is_refused(tmp_path):
    with pytest.raises(UserError, match="folder"):
        read_frame(tmp_path)


def test_a_missing_file_is_refused_by_its_name_without_its_path(tmp_path):
    with pytest.raises(UserError) as refused:
        read_frame(tmp_path / "gone.dcm")
    assert "gone.dcm" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_forbidden_file_is_refused(tmp_path, monkeypatch):
    def forbidden(*_args, **_kwargs):
        raise PermissionError

    path = tmp_path / "locked.dcm"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(UserError, match="do not have permission to read"):
        sniff(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")
    with pytest.raises(UserError, match="not a file"):
        sniff(tmp_path / "pipe.dcm")
