"""What a run changed in the model: matrices, directions, words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.explanation import MatrixChange, RunExplanation
from clipsvd_app.engine.explain.centre import centre_of_run
from clipsvd_app.engine.explain.corpus import load_corpus
from clipsvd_app.engine.explain.directions import describe_directions
from clipsvd_app.engine.explain.embedded import embed_corpus
from clipsvd_app.engine.explain.inputs import gather_inputs
from clipsvd_app.engine.explain.wording import run_sources, run_text

if TYPE_CHECKING:
    from torch import Tensor

    from clipsvd_app.engine.adapted import AdaptedModel
    from clipsvd_app.jobs import Report


def explain_run(adapted: AdaptedModel, images: Tensor, report: Report) -> RunExplanation:
    """Explain what adaptation changed, seen on preprocessed reference images (images, 3, size, size).

    At least one image is needed; labels are not, so the pool will do.
    """
    assert len(images), "a run is explained on at least one image"
    matrices = matrix_changes(adapted)
    centre = centre_of_run(adapted, images)
    corpus = embed_corpus(adapted, load_corpus(), centre.vector, report)
    inputs = gather_inputs(adapted, images, report)
    directions = describe_directions(adapted, inputs, corpus)
    numbers = sum(sigma.size for sigma in adapted.sigmas.values())
    return RunExplanation(
        matrices, directions, run_text(matrices, directions, numbers), run_sources(len(images))
    )


def matrix_changes(adapted: AdaptedModel) -> tuple[MatrixChange, ...]:
    """Return ||W' - W|| / ||W|| (Frobenius) of every matrix; U and V keep lengths, so sigma decides it."""
    changes = []
    for target in adapted.basis.targets:
        base = adapted.basis.matrices[target.name].s0.double().numpy()
        moved = float(np.linalg.norm(adapted.sigmas[target.name].astype(np.float64) - base))
        relative = moved / max(float(np.linalg.norm(base)), 1e-30)
        changes.append(MatrixChange(target.name, target.tower, target.layer, target.kind, relative))
    return tuple(changes)
