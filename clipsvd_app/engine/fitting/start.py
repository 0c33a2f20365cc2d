"""Where training starts: at the answers of a linear probe that itself starts from the class texts.

From a probe, training begins at what the features give already, and does not first distort them on the way
to a good head (Kumar et al. 2022, "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", ICLR). The probe is a logistic regression on top of the zero-shot logits, drawn back
towards them (after Silva-Rodríguez et al. 2024, "A Closer Look at the Few-Shot Adaptation of Large
Vision-Language Models", CVPR): logits = m scale f·t + (f - mean)·v / spread + b.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.engine.baselines.methods import small_products
from clipsvd_app.engine.sigma.class_head import ClassHead
from clipsvd_app.engine.statistics.calibration import fit_temperature
from clipsvd_app.engine.statistics.metrics import softmax

if TYPE_CHECKING:
    from clipsvd_app.engine.data.examples import Examples
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.statistics.metrics import Floats, Integers

START = "text_initialised_probe"
# Of the squared length of v. Centred features have a mean square of 1, so that one number serves all
# backbones; at 1 to 32 images a class no choice by cross-validation was better.
_RIDGE = 1 / 3
# Far beyond what the problem needs, which is convex and has a few hundred numbers.
_MAX_ITERATIONS = 1000
_TINY = 1e-12


def probe_head(examples: Examples, texts: Features, scale: float) -> ClassHead:
    """Return the head with which the unadapted model gives the answers of the probe on the examples.

    texts: unit class embeddings (classes, width) of the unadapted model; scale: from cosine to logit.
    """
    features, own = examples.features.astype(np.float64), texts.astype(np.float64)
    truth = np.asarray(examples.labels, dtype=np.int64)
    zero_shot = scale * features @ own.T
    # What the words are worth: 1 at most, and next to nothing where they mislead.
    worth = min(1.0, 1 / fit_temperature(softmax(zero_shot), truth))
    mean = features.mean(axis=0)
    spread = float(np.sqrt(((features - mean) ** 2).sum(axis=1).mean())) or 1.0
    with small_products():
        vectors, bias = _fit((features - mean) / spread, worth * zero_shot, truth)
    weights = worth * scale * own + vectors / spread
    bias = bias - vectors @ mean / spread
    # Softmax ignores what all classes share; without it the vectors are short, and rounding is small.
    wanted = weights - weights.mean(axis=0)
    offsets = wanted / scale - (own - own.mean(axis=0))
    return ClassHead(offsets.astype(np.float32), (bias - bias.mean()).astype(np.float32), START)


def _fit(rows: Floats, logits: Floats, truth: Integers) -> tuple[Floats, Floats]:
    """Return vectors (classes, width) and bias (classes,) to add to the logits (images, classes).

    Minimises the cross-entropy, every class with the same weight, plus the ridge.
    """
    from scipy.optimize import minimize

    images, width = rows.shape
    classes = logits.shape[1]
    weights = (images / classes / np.bincount(truth, minlength=classes).clip(1))[truth]
    places = np.arange(images)

    def cost(flat: Floats) -> tuple[float, Floats]:
        vectors, bias = flat[classes:].reshape(classes, width), flat[:classes]
        found = softmax(logits + rows @ vectors.T + bias)
        loss = -(weights * np.log(found[places, truth].clip(_TINY))).sum()
        error = found.copy()
        error[places, truth] -= 1
        error *= weights[:, None]
        slope = error.T @ rows + _RIDGE * vectors
        return float(loss + _RIDGE / 2 * (vectors**2).sum()), np.concatenate(
            [error.sum(axis=0), slope.ravel()]
        )

    start = np.zeros(classes * (width + 1))
    options = {"maxiter": _MAX_ITERATIONS}
    best = minimize(cost, start, jac=True, method="L-BFGS-B", options=options).x
    return best[classes:].reshape(classes, width), best[:classes]
