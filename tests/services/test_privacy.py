"""Nothing that says who a patient is stays behind: not in the project, the caches, or the logs."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pydicom
import pytest
from support.films import ct_slices, film

from clipsvd_app import settings
from clipsvd_app.imaging.reading import open_as_rgb
from clipsvd_app.imaging.thumbnails import thumbnail
from clipsvd_app.project import create_project
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

SECRETS = {
    "PatientID": "MRN-4711-X",
    "PatientName": "ZIMMERMANN^ADELHEID",
    "PatientBirthDate": "19320417",
    "PatientAddress": "17 LINDENALLEE",
    "ReferringPhysicianName": "KRAUTWURST^OTTO",
    "InstitutionName": "ST ELSEWHERE",
    "AccessionNumber": "ACC993311",
    "StudyDate": "20240506",
    "StudyTime": "112233.445",
    "PatientComments": "WIFE IS CALLED BERTHA",
}


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """Films, slices and a compressed film, all of which name their patient in every way."""
    folder = tmp_path / "in"
    paths = [
        film(folder / "1.dcm", "A", 1),
        film(folder / "2.dcm", "A", 2),
        *ct_slices(folder / "ct", [0, 1, 5]),
    ]
    for path in paths:
        dataset = pydicom.dcmread(path)
        for keyword, value in SECRETS.items():
            setattr(dataset, keyword, value)
        if path.name == "2.dcm":
            dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_project_caches_and_logs_hold_no_identity(studies: Path, home: Path, tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    uids = [str(pydicom.dcmread(path).StudyInstanceUID) for path in studies.rglob("*.dcm")]
    (tmp_path / "kept").mkdir()
    with create_project(tmp_path / "kept" / "study") as project:
        project.apply(apply_import(project, plan_import(project, [studies])))
        for image in project.images():
            thumbnail(Path(image.path), image.frame)
            open_as_rgb(Path(image.path), image.frame)
    places = [*(tmp_path / "kept").rglob("*"), *home.rglob("*")]
    kept = {place: place.read_bytes() for place in places if place.is_file()}
    assert any(place.suffix == ".png" for place in kept)
    words = [word for said in SECRETS.values() for word in said.split("^")] + [
        uid for uid in uids if len(uid) > 8
    ]
    for place, content in kept.items():
        for word in words:
            assert word.encode() not in content, (place.name, word)
            assert word not in str(place.relative_to(tmp_path))
    assert not [word for word in words if word in caplog.text]


def test_what_comes_out_of_an_archive_lies_beside_the_project_and_in_no_cache(
    studies, home, tmp_path
) -> None:
    shutil.make_archive(str(tmp_path / "dropped"), "zip", studies)
    with create_project(tmp_path / "study.clipsvd") as project:
        project.apply(apply_import(project, plan_import(project, [tmp_path / "dropped.zip"])))
        images = [Path(image.path) for image in project.images()]
    assert len(images) == 5
    assert all(path.is_relative_to(tmp_path / "study images") for path in images)
    for place in home.rglob("*"):
        assert not place.is_file() or b"BERTHA" not in place.read_bytes(), place.name
