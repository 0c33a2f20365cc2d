"""What people drop by mistake, and what the command line says of each: one plain sentence with a remedy."""

from __future__ import annotations

import re
import shutil
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pydicom.data import get_testdata_file

from clipsvd_app.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = re.compile(r"(clipsvd|refused|note|flag): [^\n]{10,300}\.|No DICOM series found\.")


def bundled(name: str) -> str:
    return str(get_testdata_file(name, download=False))


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    folder = tmp_path / "from the ward"
    (folder / "empty").mkdir(parents=True)
    shutil.copy(bundled("CT_small.dcm"), folder / "IM000001")
    shutil.copy(bundled("dicomdirtests/DICOMDIR"), folder / "DICOMDIR")
    with zipfile.ZipFile(folder / "films.zip", "w") as archive:
        archive.write(bundled("MR_small.dcm"), "a/MR")
    whole = (folder / "films.zip").read_bytes()
    (folder / "broken.zip").write_bytes(whole[:500])
    (folder / "secret.zip").write_bytes(encrypted(whole))
    (folder / "notes.dcm").write_text("Dear colleague\n")
    (folder / "nothing.dcm").write_bytes(b"")
    (folder / "cut.dcm").write_bytes(whole[:128] + b"DICM")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0abc")
    shutil.copy(bundled("test-SR.dcm"), folder / "report.dcm")
    Image.fromarray(np.arange(48, dtype=np.uint16).reshape(6, 8) * 900).save(folder / "deep.tiff")
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(folder / "brain.nii.gz"))
    return folder


def encrypted(archive: bytes) -> bytes:
    """Return the archive with the mark of encryption on its members."""
    made = bytearray(archive)
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(start) + flags] |= 1
    return bytes(made)


def said(capsys, *arguments: object) -> tuple[int, list[str]]:
    code = main([*map(str, arguments), "--quiet", "--json"])
    return code, capsys.readouterr().err.splitlines()


def test_a_messy_folder_is_taken_as_far_as_it_goes(capsys, messy: Path, tmp_path: Path) -> None:
    project = tmp_path / "p.clipsvd"
    said(capsys, "new", project, "--class", "a")
    code, lines = said(capsys, "add", project, messy)
    assert code == 0
    assert all(SENTENCE.fullmatch(line) for line in lines)
    refusals = [line.removeprefix("refused: ") for line in lines if line.startswith("refused")]
    refused = {line.split(" ")[0] for line in refusals if "listed in DICOMDIR, is missing" not in line}
    bad = {"broken.zip", "secret.zip", "notes.dcm", "nothing.dcm", "cut.dcm", "photo.jpg", "report.dcm"}
    assert refused == bad
    assert any("secret.zip is an encrypted ZIP archive" in line for line in lines)
    assert any("notes.dcm is a text file" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("DICOMDIR", "is a DICOMDIR"),
        ("films.zip", "is a ZIP archive"),
        ("broken.zip", "is a ZIP archive"),
        ("secret.zip", "is an encrypted ZIP archive"),
        ("notes.dcm", "is a text file"),
        ("nothing.dcm", "is empty"),
        ("cut.dcm", "is damaged or incomplete"),
        ("photo.jpg", "is damaged or incomplete"),
        ("report.dcm", "is a structured report"),
        ("empty", "is a folder"),
        ("nowhere.dcm", "does not exist"),
    ],
)
def test_what_is_no_image_is_refused_by_what_it_is(capsys, messy: Path, name: str, sentence: str) -> None:
    code, lines = said(capsys, "image", messy / name)
    assert code == 1
    assert len(lines) == 1
    assert sentence in lines[0]
    assert SENTENCE.fullmatch(lines[0])
    assert str(messy) not in lines[0]


@pytest.mark.parametrize("name", ["IM000001", "deep.tiff", "brain.nii.gz"])
def test_images_of_any_name_are_read(capsys, messy: Path, name: str) -> None:
    assert said(capsys, "image", messy / name) == (0, [])


@pytest.mark.parametrize("name", ["broken.zip", "secret.zip", "empty", "nowhere", "notes.dcm"])
@pytest.mark.parametrize("command", ["add", "series"])
def test_nothing_to_take_is_said(capsys, messy: Path, tmp_path: Path, command: str, name: str) -> None:
    project = tmp_path / "p.clipsvd"
    said(capsys, "new", project, "--class", "a")
    code, lines = said(capsys, command, *([project] if command == "add" else []), messy / name)
    assert code == 1
    assert lines
    assert all(SENTENCE.fullmatch(line) for line in lines)
