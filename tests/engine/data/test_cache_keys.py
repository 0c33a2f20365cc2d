"""What a cache is keyed by: nothing that was computed under a wrong configuration outlives its correction."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from support.changing import replace

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.explain.model.embedded_corpus import state_hash
from clipsvd_app.engine.jobs.train import checkpoints_of
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.jobs.requests import BackboneRef, TrainRequest

if TYPE_CHECKING:
    from pathlib import Path


def quiet(*_):
    """Take progress and drop it."""


def corrected(folder: Path, to: Path, **preprocessing) -> Path:
    """Copy a backbone folder with another preprocessing."""
    shutil.copytree(folder, to)
    file = to / "open_clip_config.json"
    config = json.loads(file.read_text())
    config["preprocess_cfg"] |= preprocessing
    file.write_text(json.dumps(config))
    return to


CHANGES = [{"mean": [0.1, 0.2, 0.3]}, {"std": [0.5, 0.5, 0.5]}, {"interpolation": "bilinear"}]


@pytest.mark.parametrize("change", CHANGES)
def test_a_corrected_preprocessing_gets_features_of_its_own(tiny_folder, studies, tmp_path, change):
    before = load_backbone(tiny_folder)
    after = load_backbone(corrected(tiny_folder, tmp_path / "after", **change))
    assert after.sha256 == before.sha256
    cache = tmp_path / "cache"
    rows = [FeatureStore(backbone, cache).of(studies, quiet).features for backbone in (before, after)]
    alone = FeatureStore(after, tmp_path / "empty").of(studies, quiet).features
    assert np.array_equal(rows[1], alone)
    assert not np.array_equal(rows[0], rows[1])
    assert not np.array_equal(before.fingerprint, after.fingerprint)


def test_what_an_embedding_depends_on_is_in_the_fingerprint(tiny_folder, tmp_path):
    first = load_backbone(tiny_folder)
    assert first.fingerprint == load_backbone(shutil.copytree(tiny_folder, tmp_path / "copy")).fingerprint
    other = shutil.copytree(tiny_folder, tmp_path / "other")
    vocabulary = (other / "vocab.txt").read_text().split()
    vocabulary[-1], vocabulary[-2] = vocabulary[-2], vocabulary[-1]
    (other / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    assert load_backbone(other).fingerprint != first.fingerprint


def test_phrases_and_checkpoints_follow_the_configuration(tiny_folder, studies, tmp_path):
    before = load_backbone(tiny_folder)
    after = load_backbone(corrected(tiny_folder, tmp_path / "after", mean=[0.1, 0.2, 0.3]))
    basis = load_basis(before, quiet)
    sigmas = {name: values + 1 for name, values in basis.sigma_base().items()}
    states = {state_hash(AdaptedModel(backbone, basis, sigmas, ())) for backbone in (before, after)}
    assert len(states) == 2
    request = TrainRequest(BackboneRef("tiny", str(tiny_folder)), (), tuple(studies), Recipe())
    folders = {checkpoints_of(request, each).folder for each in (before, after)}
    assert len(folders) == 2


def test_a_checkpoint_belongs_to_the_content_of_its_images(tiny_folder, studies, tmp_path):
    backbone = load_backbone(tiny_folder)
    file = tmp_path / "a.png"
    image = replace(studies[0], path=str(file))
    request = TrainRequest(BackboneRef("tiny", str(tiny_folder)), (), (image,), Recipe())
    found = []
    for grey in (10, 200):
        Image.new("L", (64, 64), grey).save(file, compress_level=0)
        os.utime(file, (1, 1))
        found.append((file.stat().st_size, checkpoints_of(request, backbone).folder))
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]
    moved = file.rename(tmp_path / "elsewhere.png")
    request = replace(request, images=(replace(image, path=str(moved)),))
    assert checkpoints_of(request, backbone).folder == found[1][1], "where a file lies is no part of it"


def test_a_newer_reader_of_images_gets_features_of_its_own(tiny_folder, studies, tmp_path, monkeypatch):
    store = FeatureStore(load_backbone(tiny_folder), tmp_path)
    store.of(studies[:1], quiet)
    monkeypatch.setattr("clipsvd_app.engine.data.features.PIXELS_VERSION", 999)
    store.of(studies[:1], quiet)
    assert len(list(tmp_path.rglob("*.npy"))) == 2


def test_a_basis_of_other_shapes_is_not_taken(tiny_folder, tmp_path):
    backbone = load_backbone(tiny_folder)
    basis = load_basis(backbone, quiet, tmp_path)
    names = [target.name for target in basis.targets]
    shapes = {name: basis.matrices[name].u.shape for name in names}
    other = next(name for name in names if shapes[name] != shapes[names[0]])
    shutil.copyfile(tmp_path / f"{other}.safetensors", tmp_path / f"{names[0]}.safetensors")
    again = load_basis(backbone, quiet, tmp_path)
    assert again.matrices[names[0]].u.shape == shapes[names[0]]
    assert again.fingerprint == basis.fingerprint


def test_a_basis_that_cannot_be_kept_is_computed_all_the_same(tiny_folder, tmp_path):
    backbone = load_backbone(tiny_folder)
    (tmp_path / "full").write_text("a file in the folder's place")
    assert (
        load_basis(backbone, quiet, tmp_path / "full").fingerprint == load_basis(backbone, quiet).fingerprint
    )
