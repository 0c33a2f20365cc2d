"""The map job: frozen features laid out in the plane, by principal components or by t-SNE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import MapPlace, MapResult

if TYPE_CHECKING:
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import MapRequest, Projection

Plane = NDArray[np.float64]

# Fewer points make no map, and t-SNE needs more points than its perplexity.
_FEWEST = 4
# 1,000 steps in all, as scikit-learn's default; trustworthiness within 0.005 of one uninterrupted run.
_ROUNDS = 4
_STEPS_OF_A_ROUND = 250  # the fewest that scikit-learn takes
# scikit-learn's defaults of early exaggeration and of the standard deviation of a start from components.
_EXAGGERATION = 12.0
_SPREAD = 1e-4
_SEED = 0

SENTENCES: dict[Projection, str] = {
    "pca": "The two directions with the most variation. Images far apart differ.",
    "tsne": "Neighbours are similar. Distances between clusters, and their sizes, have no meaning.",
}


def run_map(request: MapRequest, warm: WarmBackbone, report: Report) -> MapResult:
    """Return a place for every image that can be read; refuses fewer than four."""
    frozen = warm.features.of(request.images, report)
    if len(frozen.inputs) < _FEWEST:
        raise UserError(
            f"A map needs at least {_FEWEST} readable images.",
            remedy="Add images, or locate moved ones (File menu).",
            code="too_few_images",
        )
    features = frozen.features.astype(np.float64)
    plane = tsne(features, report) if request.projection == "tsne" else principal_plane(features)
    places = tuple(
        MapPlace(image.id, float(x), float(y)) for image, (x, y) in zip(frozen.inputs, plane, strict=True)
    )
    return MapResult(request.projection, places, SENTENCES[request.projection])


def principal_plane(features: Plane) -> Plane:
    """Return (images, 2): two principal components, each turned so that its largest entry is positive."""
    centred = features - features.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(features), 2))
    plane[:, : min(2, len(sizes))] = (left * sizes)[:, :2]
    signs = np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    return plane * np.where(signs == 0, 1, signs)


def tsne(features: Plane, report: Report) -> Plane:
    """Return (images, 2) by t-SNE (van der Maaten and Hinton 2008) from the principal components on.

    Computed in rounds that continue each other, because scikit-learn's t-SNE cannot be cancelled within one;
    only the first uses early exaggeration, as the method requires.
    """
    from sklearn.manifold import TSNE

    plane = principal_plane(features)
    spread = plane[:, 0].std()
    plane = (
        plane * (_SPREAD / spread)
        if spread > 0
        else np.random.default_rng(_SEED).normal(0, _SPREAD, plane.shape)
    )
    for number in range(_ROUNDS):
        report("Computing the map", number, _ROUNDS)
        embedding = TSNE(
            # scikit-learn's default of 30, and fewer where there are too few points for it.
            perplexity=min(30.0, max(2.0, (len(features) - 1) / 3)),
            early_exaggeration=_EXAGGERATION if number == 0 else 1.0,
            max_iter=_STEPS_OF_A_ROUND,
            init=plane.astype(np.float32),
            random_state=_SEED,
        )
        plane = embedding.fit_transform(features).astype(np.float64)
    report("Computing the map", _ROUNDS, _ROUNDS)
    return plane
