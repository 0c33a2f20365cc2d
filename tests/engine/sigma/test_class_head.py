"""An adapted model may carry a class head beside its singular values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.small_clip import (
    CLASSES,
    made_head,
    moved_sigmas,
    noise_images,
    small_adapted,
    small_backbone,
    small_basis,
    with_head,
)

from clipsvd_app.engine.explain.model.embedded_corpus import state_hash
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.class_head import ClassHead
from clipsvd_app.engine.sigma.trained import TrainedSigma
from clipsvd_app.engine.training.labelled_images import probabilities_of


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
