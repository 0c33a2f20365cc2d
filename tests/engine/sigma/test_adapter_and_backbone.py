from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.changing import replace
from support.made_adapter import write_made_adapter
from support.small_clip import CLASSES, moved_sigmas, no_report, noise_images, small_backbone, small_basis

from clipsvd_app.adapter_file import AdapterContent, read_adapter, write_adapter
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.engine.jobs import verify as verify_job
from clipsvd_app.engine.jobs.verify import run_verify
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.adapter import load_adapter, save_adapter
from clipsvd_app.engine.sigma.basis import MatrixBasis
from clipsvd_app.engine.sigma.probes import compute_probes
from clipsvd_app.engine.sigma.trained import TrainedSigma
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, TrainRequest, VerifyRequest

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return small_backbone()


@pytest.fixture(scope="module")
def basis(backbone: Backbone) -> Basis:
    return small_basis(backbone)


@pytest.fixture
def saved(tmp_path: Path, backbone: Backbone, basis: Basis) -> Path:
    sigmas = moved_sigmas(basis)
    images = tuple(ImageInput(n, "/private/Doe.png", 0, f"Doe {n}", n % 2) for n in range(6))
    request = TrainRequest(BackboneRef("small", "/private"), CLASSES, images, Recipe(), seed=3)
    trained = TrainedSigma(sigmas, basis.sigma_base(), 0.04, (), "cpu", 1.5)
    adapted = AdaptedModel(backbone, basis, sigmas, CLASSES)
    path = tmp_path / "a.sigma.safetensors"
    save_adapter(path, adapted, trained, request, images, Evaluation("none"))
    return path


def edited(path: Path, change: object) -> Path:
    write_adapter(path, change(read_adapter(path)))
    return path


def test_a_saved_adapter_gives_the_same_logits_again(saved: Path, backbone: Backbone, basis: Basis) -> None:
    adapted = AdaptedModel(backbone, basis, moved_sigmas(basis), CLASSES)
    loaded = load_adapter(saved, backbone, basis)
    assert loaded.classes == CLASSES
    assert torch.equal(loaded.adapted.logits(noise_images(3)), adapted.logits(noise_images(3)))


def test_an_adapter_whose_classes_read_the_same_is_refused_and_fails_its_check(
    saved: Path, backbone: Backbone, basis: Basis
) -> None:
    def same_prompts(content):
        classes = tuple(replace(entry, prompts=("a nodule",)) for entry in content.document.classes)
        return replace(content, document=replace(content.document, classes=classes))

    with pytest.raises(UserError, match="cannot distinguish the classes “nodule” and “effusion”") as caught:
        load_adapter(edited(saved, same_prompts), backbone, basis)
    assert caught.value.code == "adapter_prompts"
    checks = run_verify(
        VerifyRequest(BackboneRef("small", "small"), str(saved)), backbone, no_report, basis
    ).checks
    assert (checks[-1].name, checks[-1].passed) == ("prompts", False)


def test_the_file_names_no_patient_and_no_path(saved: Path) -> None:
    raw = saved.read_bytes()
    assert b"Doe" not in raw
    assert b"/private" not in raw


def test_the_file_says_how_it_was_trained(saved: Path) -> None:
    training = read_adapter(saved).document.training
    assert training.images_per_class == (3, 3)
    assert training.patients == 6
    assert training.recipe["preset"] == "standard"


def test_another_backbone_is_refused_and_both_are_named(saved: Path) -> None:
    other = small_backbone(seed=1)
    with pytest.raises(UserError, match=r"belongs to “small” \(000000000000…\).*backbone is “small”"):
        load_adapter(saved, replace(other, sha256="1" * 64), small_basis(other))


def test_a_missing_matrix_is_refused(saved: Path, backbone: Backbone, basis: Basis) -> None:
    edited(saved, lambda content: replace(content, spectra=content.spectra[1:]))
    with pytest.raises(UserError, match="1 matrix does not match"):
        load_adapter(saved, backbone, basis)


def test_other_base_spectra_are_refused(saved: Path, backbone: Backbone, basis: Basis) -> None:
    def shift(content: AdapterContent) -> AdapterContent:
        first = content.spectra[0]
        moved = replace(first, sigma_base=first.sigma_base * np.float32(1.01))
        return replace(content, spectra=(moved, *content.spectra[1:]))

    with pytest.raises(UserError, match="base spectra"):
        load_adapter(edited(saved, shift), backbone, basis)


def test_a_rotated_basis_fails_the_probe(saved: Path, backbone: Backbone, basis: Basis) -> None:
    name = "visual.trunk.blocks.1.mlp.fc2"
    matrix = basis.matrices[name]
    turn = torch.eye(matrix.rank)
    turn[:2, :2] = torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    rotated = MatrixBasis(matrix.u @ turn, matrix.s0, turn.T @ matrix.vt)
    with pytest.raises(UserError, match=f"probes.*{name}"):
        load_adapter(saved, backbone, replace(basis, matrices={**basis.matrices, name: rotated}))


def test_a_basis_with_other_signs_is_the_same_basis(saved: Path, backbone: Backbone, basis: Basis) -> None:
    flipped = {name: MatrixBasis(-m.u, m.s0, -m.vt) for name, m in basis.matrices.items()}
    load_adapter(saved, backbone, replace(basis, matrices=flipped))


def test_a_canary_that_sings_otherwise_is_refused(saved: Path, backbone: Backbone, basis: Basis) -> None:
    def other_tune(content: AdapterContent) -> AdapterContent:
        canaries = content.document.canaries
        first = replace(canaries.items[0], logits=tuple(value + 0.5 for value in canaries.items[0].logits))
        changed = replace(canaries, items=(first, *canaries.items[1:]))
        return replace(content, document=replace(content.document, canaries=changed))

    with pytest.raises(UserError, match="synthetic images differ by at most 5"):
        load_adapter(edited(saved, other_tune), backbone, basis)


def test_the_probe_is_r_w_r_of_the_adapted_matrix(backbone: Backbone, basis: Basis) -> None:
    from clipsvd_app.adapter_file.generator import probe_vectors

    sigmas, name = moved_sigmas(basis), "visual.trunk.blocks.0.attn.qkv.k"
    matrix = basis.matrices[name]
    weight = ((matrix.u * torch.from_numpy(sigmas[name])) @ matrix.vt).double().numpy()
    left, right = probe_vectors(name, *weight.shape)
    np.testing.assert_allclose(
        compute_probes(backbone, basis, sigmas)[name], left @ weight @ right, atol=1e-4
    )


def verified(path: Path, backbone: Backbone) -> dict[str, bool]:
    request = VerifyRequest(BackboneRef("small", "small"), str(path))
    return {check.name: check.passed for check in run_verify(request, backbone, no_report).checks}


@pytest.fixture
def _ready_basis(monkeypatch: pytest.MonkeyPatch, basis: Basis) -> None:
    monkeypatch.setattr(verify_job, "load_basis", lambda *_: basis)


@pytest.mark.usefixtures("_ready_basis")
def test_verification_lists_every_check_of_a_good_adapter(saved: Path, backbone: Backbone) -> None:
    names = ("file", "base", "input", "matrices", "base spectra", "probes", "prompts", "canaries")
    assert verified(saved, backbone) == dict.fromkeys(names, True)


@pytest.mark.usefixtures("_ready_basis")
def test_verification_stops_at_a_foreign_backbone(saved: Path, backbone: Backbone) -> None:
    assert verified(saved, replace(backbone, sha256="f" * 64)) == {"file": True, "base": False}


def test_verification_of_junk_is_one_failed_check(tmp_path: Path, backbone: Backbone) -> None:
    (tmp_path / "junk").write_text("junk")
    assert verified(tmp_path / "junk", backbone) == {"file": False}


def test_class_texts_with_hidden_characters_are_cleaned_and_the_adapter_still_proves_itself(
    tmp_path: Path, backbone: Backbone, basis: Basis
) -> None:
    classes = (
        ClassSpec("nodule\u202e", ("a \x1bround\u2066 nodule", "\u202e")),
        ClassSpec("clear", ("nothing",)),
    )
    write_made_adapter(tmp_path / "a.sigma.safetensors", backbone, basis, classes=classes)
    loaded = load_adapter(tmp_path / "a.sigma.safetensors", backbone, basis)
    assert loaded.classes[0] == ClassSpec("nodule", ("a round nodule",))
