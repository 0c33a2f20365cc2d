from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.corpus import CorpusPhrase
from clipsvd_app.engine.explain.concepts import find_concepts
from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus, centre_corpus, unit

WIDTH, PHRASES, CONTROLS = 256, 300, 50


def corpus(seed: int = 0) -> EmbeddedCorpus:
    generator = np.random.default_rng(seed)
    names = [(f"phrase {n}", "shape") for n in range(PHRASES)] + [
        (f"control {n}", "control") for n in range(CONTROLS)
    ]
    phrases = tuple(CorpusPhrase(text, text, "any", "any", axis, "present", ()) for text, axis in names)
    vectors = generator.normal(size=(len(phrases), WIDTH)) + 2.0 * generator.normal(size=WIDTH)
    return centre_corpus(phrases, unit(vectors.astype(np.float32)))


def planted(corpus: EmbeddedCorpus, rows: list[int], seed: int, noise: float = 0.3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    content = corpus.centred[rows].T @ generator.uniform(0.7, 1.3, len(rows))
    return (content + noise * generator.normal(size=WIDTH) / np.sqrt(WIDTH)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_at_least_five_of_six_planted_concepts_are_found(seed: int) -> None:
    rows = np.random.default_rng(seed).choice(PHRASES, 6, replace=False).tolist()
    centre = np.random.default_rng(99).normal(size=WIDTH).astype(np.float32)
    found = find_concepts(centre + planted(corpus(), rows, seed), centre, corpus())
    names = {phrase.text for phrase in found.phrases}
    assert len(names & {f"phrase {row}" for row in rows}) >= 5
    assert found.explain_image


def test_noise_is_not_explained() -> None:
    noise = np.random.default_rng(5).normal(size=WIDTH).astype(np.float32)
    found = find_concepts(noise, np.zeros(WIDTH, dtype=np.float32), corpus())
    assert found.cosine < 0.6
    assert not found.explain_image


def test_an_image_that_looks_like_the_controls_is_marked_unreliable() -> None:
    rows = [1, 2, PHRASES + 3, PHRASES + 4]
    found = find_concepts(planted(corpus(), rows, 0, 0.0), np.zeros(WIDTH, dtype=np.float32), corpus())
    assert found.control_share > 0.10
    assert not found.is_reliable
    assert all(phrase.text.startswith("phrase") for phrase in found.phrases)


def test_weights_are_shares_and_sorted() -> None:
    found = find_concepts(planted(corpus(), [1, 2, 3], 0), np.zeros(WIDTH, dtype=np.float32), corpus())
    scores = [phrase.score for phrase in found.phrases]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) + found.control_share == pytest.approx(1.0)


def test_an_embedding_at_the_centre_has_no_concepts() -> None:
    centre = np.ones(WIDTH, dtype=np.float32)
    found = find_concepts(centre, centre, corpus())
    assert found.phrases == ()
    assert not found.explain_image
