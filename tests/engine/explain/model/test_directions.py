from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.small_clip import CLASSES, EMBEDDING, no_report, noise_images, small_backbone, small_basis

from clipsvd_app.corpus import CorpusPhrase
from clipsvd_app.engine.explain.model.directions import (
    describe_directions,
    null_threshold,
    rank_directions,
    residual_readout,
)
from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus, unit
from clipsvd_app.engine.explain.model.inputs import gather_inputs
from clipsvd_app.engine.explain.run import matrix_changes
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import MatrixBasis

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import DirectionChange
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis

FC2 = "visual.trunk.blocks.1.mlp.fc2"


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return small_backbone()


@pytest.fixture(scope="module")
def basis(backbone: Backbone) -> Basis:
    return small_basis(backbone)


def planted(backbone: Backbone, basis: Basis, name: str = FC2, index: int = 3) -> AdaptedModel:
    """Return a model in which one direction changed much and every other a hair."""
    sigmas = {key: s0 * np.float32(1.0001) for key, s0 in basis.sigma_base().items()}
    sigmas[name][index] += 1.0
    return AdaptedModel(backbone, basis, sigmas, CLASSES)


def random_corpus(seed: int, planted_text: np.ndarray | None = None) -> EmbeddedCorpus:
    vectors = unit(np.random.default_rng(seed).normal(size=(60, EMBEDDING)).astype(np.float32))
    if planted_text is not None:
        vectors[7] = planted_text
    phrases = tuple(
        CorpusPhrase(f"p{n}", f"phrase {n}", "any", "any", "shape", "present", ()) for n in range(60)
    )
    return EmbeddedCorpus(phrases, vectors)


def described(adapted: AdaptedModel, corpus: EmbeddedCorpus) -> tuple[DirectionChange, ...]:
    return describe_directions(adapted, gather_inputs(adapted, noise_images(6), no_report), corpus)


@pytest.mark.parametrize(
    "name", [FC2, "visual.trunk.blocks.0.attn.qkv.v", "text.transformer.encoder.layer.1.output.dense"]
)
def test_a_planted_direction_ranks_first(backbone: Backbone, basis: Basis, name: str) -> None:
    adapted = planted(backbone, basis, name)
    first = rank_directions(adapted, gather_inputs(adapted, noise_images(6), no_report))[0]
    assert (first.target.name, first.index) == (name, 3)


def test_the_effect_is_the_change_of_the_output(backbone: Backbone, basis: Basis) -> None:
    """The output of fc2 moves by delta (v^T x) u, and u has length 1."""
    adapted = planted(backbone, basis)
    inputs = gather_inputs(adapted, noise_images(6), no_report)
    seen: list[torch.Tensor] = []
    module = adapted.model.get_submodule(FC2)
    handle = module.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    adapted.image_embeddings(noise_images(6))
    handle.remove()
    along = torch.cat(seen).flatten(0, -2) @ basis.matrices[FC2].vt[3]
    delta = float(adapted.sigmas[FC2][3] - basis.matrices[FC2].s0[3])
    first = rank_directions(adapted, inputs)[0]
    assert first.effect == pytest.approx(delta * float(along.square().mean().sqrt()), rel=1e-4)


def test_a_phrase_that_a_direction_points_at_is_found(backbone: Backbone, basis: Basis) -> None:
    adapted = planted(backbone, basis)
    readout = residual_readout(backbone.model)
    assert readout is not None
    text = readout(basis.matrices[FC2].u[:, 3][None])[0]
    first = described(adapted, random_corpus(0, text))[0]
    assert [phrase.text for phrase in (*first.positive, *first.negative)][:1] == ["phrase 7"]


def test_random_phrases_describe_nothing(backbone: Backbone, basis: Basis) -> None:
    spoken = [
        any(
            change.positive or change.negative
            for change in described(planted(backbone, basis), random_corpus(seed))
        )
        for seed in range(1, 11)
    ]
    assert sum(spoken) <= 2


def test_only_the_image_towers_outputs_are_put_into_words(backbone: Backbone, basis: Basis) -> None:
    name = "visual.trunk.blocks.1.mlp.fc1"
    everything = replace(random_corpus(0), centred=np.ones((60, EMBEDDING), dtype=np.float32))
    for change in described(planted(backbone, basis, name), everything):
        if change.matrix == name or change.tower == "text":
            assert change.positive == change.negative == ()


def test_flipping_singular_vectors_leaves_the_report_unchanged(backbone: Backbone, basis: Basis) -> None:
    flipped = replace(
        basis, matrices={name: MatrixBasis(-m.u, m.s0, -m.vt) for name, m in basis.matrices.items()}
    )
    text = residual_readout(backbone.model)(basis.matrices[FC2].u[:, 3][None])[0]
    corpus = random_corpus(0, text)
    before = described(planted(backbone, basis), corpus)
    after = described(planted(backbone, flipped), corpus)
    for one, other in zip(before, after, strict=True):
        assert (one.matrix, one.index) == (other.matrix, other.index)
        assert [p.text for p in one.positive] == [p.text for p in other.positive]
        assert [p.text for p in one.negative] == [p.text for p in other.negative]
        assert one.effect == pytest.approx(other.effect, rel=1e-5)


def test_a_control_at_the_pole_silences_it(backbone: Backbone, basis: Basis) -> None:
    text = residual_readout(backbone.model)(basis.matrices[FC2].u[:, 3][None])[0]
    corpus = random_corpus(0, text)
    phrases = list(corpus.phrases)
    phrases[7] = replace(phrases[7], axis="control")
    first = described(planted(backbone, basis), replace(corpus, phrases=tuple(phrases)))[0]
    assert "phrase 7" not in [phrase.text for phrase in (*first.positive, *first.negative)]


def test_more_directions_ask_for_more_likeness(backbone: Backbone) -> None:
    readout = residual_readout(backbone.model)
    one, many = (null_threshold(readout, 32, count, random_corpus(0), 0) for count in (1, 12))
    assert one < many


def test_a_bent_way_out_is_not_read(backbone: Backbone) -> None:
    model = small_backbone(seed=2).model
    model.visual.head.add_module("bend", torch.nn.GELU())
    assert residual_readout(model) is None


def test_matrix_changes_are_those_of_the_weights(backbone: Backbone, basis: Basis) -> None:
    adapted = planted(backbone, basis)
    change = next(change for change in matrix_changes(adapted) if change.name == FC2)
    base = backbone.model.get_submodule(FC2).weight
    moved = adapted.model.get_submodule(FC2).weight
    assert change.relative_change == pytest.approx(float((moved - base).norm() / base.norm()), rel=1e-4)


def test_padding_is_not_counted(backbone: Backbone, basis: Basis) -> None:
    adapted = planted(backbone, basis)
    name = "text.transformer.encoder.layer.0.attention.self.query"
    words = sum(len(prompt.split()) for spec in CLASSES for prompt in spec.prompts)
    assert gather_inputs(adapted, noise_images(1), no_report)[name].count == words
