"""The concepts of an image: a sparse non-negative sum of phrases (SpLiCE, Bhalla et al. 2024).

The image embedding minus the mean image is approximated by the phrase embeddings minus their mean:
minimise ||z - D^T w||^2 / 2d + alpha |w|_1 over w >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import Lasso

from clipsvd_app.domain.results.explanation import LARGEST_CONTROL_SHARE, LOWEST_COSINE, Phrase
from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# More phrases always fit better and explain less.
MOST_CONCEPTS = 8
# Points of the path from one phrase to the weakest penalty, which is 2 % of the one that lets no phrase in.
_ALPHAS = 40
_SMALLEST_ALPHA = 0.02


@dataclass(frozen=True, slots=True)
class Concepts:
    """Phrases with their shares of the weight, controls left out, strongest first.

    cosine: of the centred embedding with its reconstruction. control_share: weight of the negative controls;
    above 10 % the concepts are unreliable.
    """

    phrases: tuple[Phrase, ...]
    cosine: float
    control_share: float

    @property
    def is_reliable(self) -> bool:
        """False when negative controls have too much of the weight."""
        return self.control_share <= LARGEST_CONTROL_SHARE

    @property
    def explain_image(self) -> bool:
        """True when the concepts are reliable and reconstruct the embedding well enough."""
        return bool(self.phrases) and self.is_reliable and self.cosine >= LOWEST_COSINE


def find_concepts(
    embedding: NDArray[np.float32], centre: NDArray[np.float32], corpus: EmbeddedCorpus
) -> Concepts:
    """Explain one unit embedding (width,) relative to ``centre`` (width,) by at most 8 phrases."""
    target = unit(embedding - centre)
    weights = _sparse_weights(corpus.centred, target)
    total = float(weights.sum())
    if total <= 0:
        return Concepts((), 0.0, 0.0)
    rebuilt = unit(weights.astype(np.float32) @ corpus.centred)
    control_share = float(weights[corpus.is_control].sum()) / total
    order = [int(row) for row in np.argsort(-weights, kind="stable") if weights[row] > 0]
    phrases = tuple(
        Phrase(corpus.phrases[row].text, float(weights[row]) / total, corpus.phrases[row].axis)
        for row in order
        if not corpus.phrases[row].is_control
    )
    return Concepts(phrases, float(rebuilt @ target), control_share)


def _sparse_weights(dictionary: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return weights (phrases,): the solution of the weakest penalty that has at most 8 phrases."""
    features, wanted = dictionary.T.astype(np.float64), target.astype(np.float64)
    strongest = float((features.T @ wanted).max()) / len(wanted)
    if strongest <= 0:
        return np.zeros(features.shape[1])
    # At ``strongest`` itself every weight is 0: just below it the first phrase enters.
    alphas = strongest * np.geomspace(0.99, _SMALLEST_ALPHA, _ALPHAS)
    chosen = np.zeros(features.shape[1])
    for alpha in alphas:
        weights = _lasso(features, wanted, float(alpha))
        if np.count_nonzero(weights) > MOST_CONCEPTS:
            break
        chosen = weights
    return chosen


def _lasso(features: NDArray[np.float64], target: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    # A thousand phrases in a few hundred dimensions converge slowly: scikit-learn's 1,000 iterations warn.
    model = Lasso(alpha=alpha, positive=True, fit_intercept=False, max_iter=20_000, tol=1e-4)
    return np.asarray(model.fit(features, target).coef_, dtype=np.float64)
