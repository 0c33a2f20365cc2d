"""What a run changed in the model: matrices, heads, directions, words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.corpus import load_corpus
from clipsvd_app.domain.explanation import HeadChange, HeadReading, MatrixChange, RunExplanation
from clipsvd_app.engine.explain.centre import centre_of_run
from clipsvd_app.engine.explain.directions import describe_directions
from clipsvd_app.engine.explain.embedded import embed_corpus, likely_modalities
from clipsvd_app.engine.explain.heads import ov_changes
from clipsvd_app.engine.explain.image_tower import open_tower
from clipsvd_app.engine.explain.inputs import gather_inputs
from clipsvd_app.engine.explain.run_controls import run_controls
from clipsvd_app.engine.explain.run_wording import run_statements
from clipsvd_app.engine.explain.text_span import FEWEST_IMAGES, gather_heads, read_heads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from clipsvd_app.engine.adapted import AdaptedModel
    from clipsvd_app.engine.explain.embedded import EmbeddedCorpus
    from clipsvd_app.engine.explain.image_tower import TowerView
    from clipsvd_app.jobs import Report

Readings = dict[tuple[int, int], HeadReading]


def explain_run(
    adapted: AdaptedModel, images: Tensor, report: Report, image_ids: Sequence[int] | None = None
) -> RunExplanation:
    """Explain what adaptation changed, seen on preprocessed reference images (images, 3, size, size).

    At least one image is needed; labels are not, so the pool will do. ``image_ids`` name them in the answer.
    """
    assert len(images), "a run is explained on at least one image"
    ids = range(len(images)) if image_ids is None else image_ids
    assert len(ids) == len(images)
    matrices = matrix_changes(adapted)
    centre = centre_of_run(adapted, images)
    corpus = load_corpus()
    modalities = likely_modalities(adapted, centre.base, report)
    embedded = embed_corpus(adapted, corpus.phrases, modalities, report)
    directions = describe_directions(adapted, gather_inputs(adapted, images, report), embedded, ids)
    before: Readings = {}
    after: Readings = {}
    if (view := open_tower(adapted.model)) is not None and len(images) >= FEWEST_IMAGES:
        after = _read_heads(adapted, view, images, embedded, report)
        with adapted.as_base():
            base = embed_corpus(adapted, corpus.phrases, modalities, report)
            base_view = open_tower(adapted.model)
            assert base_view is not None
            before = _read_heads(adapted, base_view, images, base, report)
    heads = _head_changes(adapted, before, after)
    controls = run_controls(heads, len(images))
    statements = run_statements(matrices, directions, heads, controls, len(images))
    return RunExplanation(
        matrices=matrices,
        directions=directions,
        text=" ".join(statement.text for statement in statements),
        how_we_know=" ".join(dict.fromkeys(statement.how_we_know for statement in statements)),
        heads=heads,
        images=len(images),
        phrases=embedded.descriptions,
        statements=statements,
        controls=controls,
        notes=tuple(
            f"The pack of phrases “{name}” has a fault and took no part." for name in corpus.left_out
        ),
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


def _head_changes(adapted: AdaptedModel, before: Readings, after: Readings) -> tuple[HeadChange, ...]:
    heads = []
    for found in ov_changes(adapted):
        place = found.layer, found.head
        read = (before.get(place), after.get(place)) if found.tower == "image" else (None, None)
        heads.append(HeadChange(found.tower, *place, found.relative_change, *read))
    return tuple(heads)


def _read_heads(
    adapted: AdaptedModel, view: TowerView, images: Tensor, corpus: EmbeddedCorpus, report: Report
) -> Readings:
    found = gather_heads(adapted.model, view, images.to(adapted.backbone.device), report)
    return {(layer, head): reading for layer, head, reading in read_heads(view, found, corpus, report)}
