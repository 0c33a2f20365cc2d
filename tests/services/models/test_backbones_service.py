"""Naming, remembering and removing backbones."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import AddBackboneResult
from clipsvd_app.jobs.backbone_record import write_record
from clipsvd_app.jobs.folders import read_request
from clipsvd_app.jobs.requests import AddBackboneRequest
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import Settings, cache_folder, save_settings


def result(folder: Path, name: str = "mine") -> AddBackboneResult:
    return AddBackboneResult(name, str(folder), "a" * 64, "b" * 64, "timm-vit+hf-bert", 10, 4, 20)


def own(name: str) -> Path:
    folder = backbones.own_folder() / name
    folder.mkdir(parents=True)
    write_record(folder, result(folder, name))
    return folder


def test_the_job_writes_into_a_new_folder_of_the_program(tmp_path):
    request = read_request(backbones.prepare_add(tmp_path, "Our BiomedCLIP: 2"))
    assert isinstance(request, AddBackboneRequest)
    assert request.name == "Our BiomedCLIP: 2"
    assert Path(request.target) == backbones.own_folder() / "our-biomedclip-2"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("hub/models--microsoft--BiomedCLIP/snapshots/" + "0" * 40, "BiomedCLIP"),
        ("hub/models--microsoft--BiomedCLIP", "BiomedCLIP"),
        ("downloads/BiomedCLIP", "BiomedCLIP"),
        ("downloads/BiomedCLIP/open_clip_pytorch_model.bin", "BiomedCLIP"),
        ("mirror/snapshots/" + "0" * 40, "mirror"),
    ],
)
def test_without_a_name_a_backbone_is_called_as_its_folder_is(tmp_path, source, name):
    assert backbones.suggested_name(tmp_path / source) == name


@pytest.mark.parametrize("name", ["demo", "Demo", "taken", "x" * 61, "a\x07b"])
def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path, name):
    save_settings(Settings().with_backbone("taken", str(tmp_path)))
    with pytest.raises(UserError) as refusal:
        backbones.prepare_add(tmp_path, name)
    assert refusal.value.code in ("backbone_name", "backbone_name_taken")


def test_what_was_added_twice_keeps_its_first_name(tmp_path):
    settings = backbones.record_added(Settings(), result(tmp_path, "first"))
    assert backbones.record_added(settings, result(tmp_path, "second")) == settings
    assert settings.backbones == (("first", str(tmp_path)),)


def test_removing_deletes_the_folder_and_the_basis_that_the_program_wrote():
    folder = own("written")
    basis = cache_folder() / "basis" / ("a" * 64 + "-fp64-gram-1")
    basis.mkdir(parents=True)
    settings = Settings().with_backbone("written", str(folder))
    assert backbones.remove(settings, "written").backbones == ()
    assert not folder.exists()
    assert not basis.exists()


def test_removing_leaves_a_folder_that_was_only_pointed_to(tmp_path):
    (tmp_path / "kept").mkdir()
    settings = Settings().with_backbone("pointed", str(tmp_path / "kept"))
    assert backbones.remove(settings, "pointed").backbones == ()
    assert (tmp_path / "kept").is_dir()


@pytest.mark.parametrize("name", ["demo", "nothing"])
def test_the_embedded_and_the_unknown_cannot_be_removed(name):
    with pytest.raises(UserError, match=name):
        backbones.remove(Settings(), name)
