"""Phrases embedded in parts of like length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from support.small_clip import no_report, small_adapted, small_backbone, small_basis

from clipsvd_app.corpus import CorpusPhrase
from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus

if TYPE_CHECKING:
    from clipsvd_app.engine.sigma.adapted import AdaptedModel

LENGTHS = np.random.default_rng(0).permutation(np.repeat(np.arange(1, 31), 8)).tolist()
TEXTS = [" ".join(f"w{place}x{word}" for word in range(length)) for place, length in enumerate(LENGTHS)]
PHRASES = tuple(
    CorpusPhrase(f"p{n}", text, "any", "any", "shape", "present", ()) for n, text in enumerate(TEXTS)
)


@pytest.fixture
def adapted() -> AdaptedModel:
    backbone = small_backbone()
    return small_adapted(backbone, small_basis(backbone))


def test_phrases_keep_their_order_and_mean_what_they_mean_alone(adapted: AdaptedModel) -> None:
    found = embed_corpus(adapted, PHRASES, (), no_report, lasting=False)
    assert [phrase.text for phrase in found.phrases] == TEXTS
    with torch.no_grad():
        alone = [embed_texts(adapted.model, adapted.backbone.tokenize([text])).numpy() for text in TEXTS]
    assert found.plain is not None
    np.testing.assert_allclose(found.plain, np.concatenate(alone), rtol=0, atol=1e-5)


def test_little_padding_passes_through_the_text_tower(
    adapted: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Size] = []
    encode = adapted.model.encode_text
    monkeypatch.setattr(
        adapted.model, "encode_text", lambda tokens: seen.append(tokens.shape) or encode(tokens)
    )
    embed_corpus(adapted, PHRASES, (), no_report, lasting=False)
    assert len(seen) > 1
    assert max(rows * length for rows, length in seen) <= 2048
    assert sum(rows * length for rows, length in seen) < 1.4 * sum(LENGTHS)
    # In the order of the corpus nearly every part would be padded to the longest of all.
    assert 1.4 * sum(LENGTHS) < 0.75 * len(LENGTHS) * max(LENGTHS)
