from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.small_clip import no_report, noise_images, small_adapted, small_backbone, small_basis

from clipsvd_app.corpus import CorpusPhrase
from clipsvd_app.engine.explain.model.decomposition import head_outputs, head_ways_out
from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus, centre_corpus, unit
from clipsvd_app.engine.explain.model.heads import ov_changes, relative_ov_change
from clipsvd_app.engine.explain.model.image_tower import open_tower
from clipsvd_app.engine.explain.model.text_span import gather_heads, read_span, rotate_phrases

WIDTH, PHRASES, IMAGES, HEAD = 256, 300, 64, 64


def corpus(seed: int) -> EmbeddedCorpus:
    phrases = tuple(
        CorpusPhrase(str(n), f"phrase {n}", "any", "any", "shape", "present", ()) for n in range(PHRASES)
    )
    drawn = np.random.default_rng(seed).normal(size=(PHRASES, WIDTH)).astype(np.float32)
    return centre_corpus(phrases, unit(drawn))


def contributions(corpus: EmbeddedCorpus, rows: list[int], seed: int) -> torch.Tensor:
    """A head that writes along some phrases, in noise of its own width."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((IMAGES, HEAD), generator=generator) @ torch.randn((HEAD, WIDTH), generator=generator)
    planted = torch.zeros((IMAGES, WIDTH))
    if rows:
        strength = torch.randn((IMAGES, len(rows)), generator=generator) * torch.linspace(1.5, 1, len(rows))
        planted = strength @ torch.from_numpy(corpus.centred[rows])
    return (planted + 0.01 * noise).double()


@pytest.mark.parametrize("seed", range(5))
def test_at_least_two_of_three_planted_phrases_are_found(seed: int) -> None:
    known = corpus(seed)
    texts = torch.from_numpy(known.centred)
    found = read_span(contributions(known, [3, 50, 200], seed), texts, known, rotate_phrases(texts, HEAD))
    assert len({phrase.text for phrase in found.phrases} & {"phrase 3", "phrase 50", "phrase 200"}) >= 2
    assert found.best > found.threshold
    assert [phrase.score for phrase in found.phrases] == sorted(
        (phrase.score for phrase in found.phrases), reverse=True
    )


def test_noise_finds_hardly_anything() -> None:
    """The null lets one head in twenty through."""
    spoken = 0
    for seed in range(40):
        known = corpus(seed)
        texts = torch.from_numpy(known.centred)
        found = read_span(contributions(known, [], seed), texts, known, rotate_phrases(texts, HEAD, seed))
        spoken += bool(found.phrases)
    assert spoken <= 6


def test_a_control_that_comes_first_silences_the_head() -> None:
    known = corpus(0)
    phrases = list(known.phrases)
    phrases[3] = replace(phrases[3], axis="control")
    texts = torch.from_numpy(known.centred)
    found = read_span(
        contributions(known, [3, 50], 0),
        texts,
        replace(known, phrases=tuple(phrases)),
        rotate_phrases(texts, HEAD),
    )
    assert found.is_control
    assert found.phrases == ()


def test_a_head_that_writes_nothing_is_not_described() -> None:
    known = corpus(0)
    texts = torch.from_numpy(known.centred)
    found = read_span(
        torch.ones((IMAGES, WIDTH), dtype=torch.float64), texts, known, rotate_phrases(texts, HEAD)
    )
    assert found.phrases == ()


def test_heads_write_what_the_embedding_takes_in() -> None:
    """All heads, read out, differ between two images as the attention's share of the embedding does."""
    backbone = small_backbone()
    view = open_tower(backbone.model)
    assert view is not None
    found = gather_heads(backbone.model, view, noise_images(40), no_report)
    outputs = head_outputs(view, found)
    assert outputs.shape == (2, 40, 4, 8)
    written = sum(
        torch.einsum("bhd,hde->be", outputs[layer], head_ways_out(view, layer)) for layer in range(2)
    )
    assert written.shape == (40, 24)


def test_the_relative_change_of_a_head_is_that_of_its_product() -> None:
    generator = torch.Generator().manual_seed(0)
    v, o = (torch.randn((12, 12), generator=generator, dtype=torch.float64) for _ in range(2))
    v_after = v + 1e-3 * torch.randn((12, 12), generator=generator, dtype=torch.float64)
    o_after = o + 1e-3 * torch.randn((12, 12), generator=generator, dtype=torch.float64)
    changes = relative_ov_change(v, v_after, o, o_after, heads=3)
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        before, after = o[:, part] @ v[part], o_after[:, part] @ v_after[part]
        assert float(changes[head]) == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-9)


def test_every_head_of_both_towers_has_its_change() -> None:
    backbone = small_backbone()
    found = ov_changes(small_adapted(backbone, small_basis(backbone)))
    places = [(head.tower, head.layer, head.head) for head in found]
    assert places == [(t, layer, h) for t in ("image", "text") for layer in range(2) for h in range(4)]
    assert all(head.relative_change > 0 for head in found)


def test_five_planted_phrases_are_found_among_a_thousand() -> None:
    """At the size of BiomedCLIP: heads of 64, an embedding of 512, 200 images."""
    drawn = np.random.default_rng(0).normal(size=(1000, 512)).astype(np.float32)
    phrases = tuple(
        CorpusPhrase(str(n), f"phrase {n}", "any", "any", "shape", "present", ()) for n in range(1000)
    )
    known = centre_corpus(phrases, unit(drawn))
    texts = torch.from_numpy(known.centred)
    generator = torch.Generator().manual_seed(0)
    null = rotate_phrases(texts, HEAD)
    for _ in range(3):
        values = torch.randn((200, HEAD), generator=generator, dtype=torch.float64)
        way_out = torch.randn((HEAD, 512), generator=generator, dtype=torch.float64)
        way_out[:5] += 20 * texts[:5]
        found = read_span(values @ way_out, texts, known, null).phrases
        assert {phrase.text for phrase in found} == {f"phrase {n}" for n in range(5)}
