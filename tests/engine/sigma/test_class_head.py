"""An adapted model may carry a class head beside its singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.changing import replace
from support.made_adapter import write_made_adapter
from support.small_clip import (
    CLASSES,
    made_head,
    moved_sigmas,
    no_report,
    noise_images,
    small_adapted,
    small_backbone,
    small_basis,
    with_head,
)

from clipsvd_app.adapter_file import read_adapter, write_adapter
from clipsvd_app.engine.explain.model.embedded_corpus import state_hash
from clipsvd_app.engine.jobs.verify import run_verify
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.adapter import load_adapter, prove
from clipsvd_app.engine.sigma.class_head import ClassHead
from clipsvd_app.engine.sigma.hot_swap import HotSwap
from clipsvd_app.engine.sigma.trained import TrainedSigma
from clipsvd_app.engine.training.labelled_images import probabilities_of
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef, VerifyRequest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def plain() -> AdaptedModel:
    backbone = small_backbone()
    return small_adapted(backbone, small_basis(backbone))


@pytest.fixture(scope="module")
def headed(plain: AdaptedModel) -> AdaptedModel:
    return with_head(plain)


def test_a_head_moves_the_class_vectors_and_adds_a_bias(headed: AdaptedModel) -> None:
    head, images = headed.head, noise_images(3)
    assert head is not None
    with torch.no_grad():
        z, t = headed.image_embeddings(images).double(), headed.class_embeddings().double()
        vectors = t + torch.from_numpy(head.offsets)
        expected = headed.backbone.logit_scale * z @ vectors.T + torch.from_numpy(head.bias)
        torch.testing.assert_close(headed.logits(images).double(), expected, rtol=0, atol=1e-4)


def test_class_texts_stay_unit_vectors_and_without_a_head_are_the_class_vectors(
    plain: AdaptedModel, headed: AdaptedModel
) -> None:
    torch.testing.assert_close(headed.class_embeddings(), plain.class_embeddings(), rtol=0, atol=0)
    torch.testing.assert_close(plain.class_vectors(), plain.class_embeddings(), rtol=0, atol=0)
    assert plain.bias().tolist() == [0.0, 0.0]


def test_a_head_of_zeros_changes_no_logit(plain: AdaptedModel) -> None:
    zeros = ClassHead(np.zeros((2, 24), np.float32), np.zeros(2, np.float32))
    same = AdaptedModel(plain.backbone, plain.basis, plain.sigmas, CLASSES, head=zeros)
    with torch.no_grad():
        assert torch.equal(same.logits(noise_images(2)), plain.logits(noise_images(2)))


def test_the_base_has_no_head(plain: AdaptedModel) -> None:
    sigmas = plain.basis.sigma_base()
    only_head = AdaptedModel(plain.backbone, plain.basis, sigmas, CLASSES, head=made_head())
    assert not only_head.is_base
    assert only_head.base.is_base
    assert only_head.base.head is None
    assert with_head(plain).base.head is None


def test_what_is_kept_of_phrases_and_images_does_not_depend_on_the_head(
    plain: AdaptedModel, headed: AdaptedModel
) -> None:
    assert state_hash(headed) == state_hash(plain)
    only_head = AdaptedModel(plain.backbone, plain.basis, plain.basis.sigma_base(), CLASSES, head=made_head())
    assert state_hash(only_head) == state_hash(plain.base)


def test_probabilities_from_features_are_those_from_images(headed: AdaptedModel) -> None:
    images = noise_images(4)
    with torch.no_grad():
        features = headed.image_embeddings(images).numpy()
    expected = headed.probabilities(images).numpy()
    np.testing.assert_allclose(probabilities_of(headed, features), expected, atol=1e-5)


def test_the_numbers_of_a_head_count_as_trained(plain: AdaptedModel) -> None:
    sigmas, base = moved_sigmas(plain.basis), plain.basis.sigma_base()
    without = TrainedSigma(sigmas, base, 0.04, (), "cpu", 1.0)
    with_one = TrainedSigma(sigmas, base, 0.04, (), "cpu", 1.0, head=made_head())
    assert with_one.trainable_parameters == without.trainable_parameters + 2 * 24 + 2


@pytest.fixture
def saved(tmp_path: Path, plain: AdaptedModel) -> Path:
    path = tmp_path / "a.sigma.safetensors"
    write_made_adapter(path, plain.backbone, plain.basis, dict(plain.sigmas), CLASSES, made_head())
    return path


def test_an_adapter_file_carries_the_head(saved: Path, headed: AdaptedModel) -> None:
    loaded = load_adapter(saved, headed.backbone, headed.basis)
    assert loaded.content.head_start == "linear_probe"
    with torch.no_grad():
        assert torch.equal(loaded.adapted.logits(noise_images(3)), headed.logits(noise_images(3)))


def test_verification_checks_the_head_and_the_canaries_notice_another_one(
    saved: Path, plain: AdaptedModel
) -> None:
    request = VerifyRequest(BackboneRef("small", "small"), str(saved))

    def checks() -> dict[str, bool]:
        found = run_verify(request, plain.backbone, no_report, plain.basis).checks
        return {check.name: check.passed for check in found}

    assert list(checks())[-3:] == ["prompts", "class head", "canaries"]
    assert all(checks().values())
    content = read_adapter(saved)
    assert content.head is not None
    other = replace(content.head, bias=content.head.bias + np.float32(0.1))
    write_adapter(saved, replace(content, head=other))
    assert [name for name, passed in checks().items() if not passed] == ["canaries"]


def test_a_head_of_another_width_is_refused_in_one_sentence(saved: Path, plain: AdaptedModel) -> None:
    content = read_adapter(saved)
    assert content.head is not None
    wide = replace(content.head, offsets=np.zeros((2, 30), np.float32))
    with pytest.raises(UserError, match=r"class head has the width 30.* embeddings have 24") as caught:
        prove(replace(content, head=wide), plain.backbone, plain.basis)
    assert caught.value.code == "adapter_class_head"


def test_adapters_that_differ_only_in_their_head_are_swapped(saved: Path, plain: AdaptedModel) -> None:
    swap, content = HotSwap(plain.backbone, plain.basis), read_adapter(saved)
    write_made_adapter(saved, plain.backbone, plain.basis, dict(plain.sigmas), CLASSES, made_head(seed=1))
    images = noise_images(2)
    with torch.no_grad():
        one = swap.apply(content).adapted.logits(images)
        other = swap.apply(read_adapter(saved)).adapted.logits(images)
    assert float((one - other).abs().max()) > 0.1
