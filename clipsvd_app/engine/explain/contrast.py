"""In which words two groups of images differ: the difference of their mean embeddings, read by phrases.

A phrase counts only above what the best phrase reaches, in 95 % of draws, when the images' labels are
permuted. The axis that leads is the one with the largest share of the ten strongest descriptions.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.explanation import Phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from clipsvd_app.engine.explain.embedded import EmbeddedCorpus

PERMUTATIONS = 200
STRONGEST = 10
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Contrast:
    """The strongest descriptions above the null, positive scores towards the second group.

    ``leading_axis`` is empty where nothing exceeds the null; ``control_share`` is how many of the ten
    strongest phrases of all, controls among them, describe no such image.
    """

    phrases: tuple[Phrase, ...]
    leading_axis: str
    control_share: float


def contrast(
    embeddings: NDArray[np.float32], labels: Sequence[int], corpus: EmbeddedCorpus, seed: int = 0
) -> Contrast:
    """Compare images (images, width) of label 1 with those of label 0; both must be there."""
    second = np.asarray(labels) == 1
    reached = _differences(embeddings, second[None], corpus)[0]
    generator = np.random.default_rng(seed)
    permuted = np.stack([generator.permutation(second) for _ in range(PERMUTATIONS)])
    best = np.abs(_differences(embeddings, permuted, corpus)).max(axis=1)
    threshold = float(np.quantile(best, _LEVEL))
    order = np.argsort(-np.abs(reached), kind="stable")
    described = [row for row in order if not corpus.phrases[row].is_control][:STRONGEST]
    phrases = tuple(
        Phrase(corpus.phrases[row].text, float(reached[row]), corpus.phrases[row].axis)
        for row in described
        if abs(reached[row]) > threshold
    )
    return Contrast(phrases, leading_axis(phrases), float(corpus.is_control[order[:STRONGEST]].mean()))


def leading_axis(phrases: Sequence[Phrase]) -> str:
    """Return the axis with the largest sum of scores; empty without phrases."""
    shares: defaultdict[str, float] = defaultdict(float)
    for phrase in phrases:
        shares[phrase.axis] += abs(phrase.score)
    return max(shares, key=lambda axis: shares[axis], default="")


def _differences(
    embeddings: NDArray[np.float32], second: NDArray[np.bool_], corpus: EmbeddedCorpus
) -> NDArray[np.float64]:
    """Return what each labelling (draws, images) gives each phrase (draws, phrases)."""
    weights = np.where(
        second, 1 / second.sum(axis=1, keepdims=True), -1 / (~second).sum(axis=1, keepdims=True)
    )
    return np.asarray(weights @ embeddings.astype(np.float64) @ corpus.centred.T.astype(np.float64))
