"""What a run changed in the model: matrices, heads, directions and phrases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.corpus import load_corpus
from clipsvd_app.domain.results.explanation import (
    FEWEST_IMAGES,
    ClassHeadChange,
    HeadChange,
    HeadReading,
    MatrixChange,
    RunExplanation,
)
from clipsvd_app.engine.explain.model.centre import Centre, centre_of_run, keep_centre
from clipsvd_app.engine.explain.model.directions import describe_directions
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus, likely_modalities
from clipsvd_app.engine.explain.model.heads import ov_changes
from clipsvd_app.engine.explain.model.image_tower import TowerView, Trace, open_tower
from clipsvd_app.engine.explain.model.inputs import gather_inputs
from clipsvd_app.engine.explain.model.text_span import gather_heads, read_heads
from clipsvd_app.engine.explain.run_controls import class_controls, run_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from clipsvd_app.domain.results.explanation import ClassChange
    from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

Readings = dict[tuple[int, int], HeadReading]


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    """The image tower in one state, and its heads' outputs for the reference images."""

    view: TowerView
    found: Trace


def explain_run(
    adapted: AdaptedModel,
    images: Tensor,
    report: Report,
    image_ids: Sequence[int] | None = None,
    classes: tuple[ClassChange, ...] = (),
) -> RunExplanation:
    """Explain what adaptation changed, seen on preprocessed reference images (images, 3, size, size).

    At least one image is needed; labels are not, so the pool can be used. ``image_ids`` name them in the
    result. ``classes`` are the phrases of the classes, which only the fits of an estimate can give.
    """
    assert len(images), "a run is explained on at least one image"
    ids = range(len(images)) if image_ids is None else image_ids
    assert len(ids) == len(images)
    matrices = matrix_changes(adapted)
    watched = _watch_heads(adapted, images, report)
    watched_before = _watch_heads(adapted.base, images, report)
    centre = _centre(adapted, images, watched, watched_before)
    corpus = load_corpus()
    modalities = likely_modalities(adapted, centre.base, report)
    embedded = embed_corpus(adapted, corpus.phrases, modalities, report)
    directions = describe_directions(adapted, gather_inputs(adapted, images, report), embedded, ids)
    after = _read_heads(watched, embedded, report)
    before: Readings = {}
    if watched_before is not None:
        base = embed_corpus(adapted.base, corpus.phrases, modalities, report)
        before = _read_heads(watched_before, base, report)
    heads = _head_changes(adapted, before, after)
    controls = (*class_controls(classes), *run_controls(heads, len(images)))
    return RunExplanation(
        matrices=matrices,
        directions=directions,
        heads=heads,
        images=len(images),
        phrases=embedded.descriptions,
        controls=controls,
        classes=classes,
        packs_left_out=tuple(corpus.left_out),
        class_head=_class_head(adapted),
    )


def _class_head(adapted: AdaptedModel) -> ClassHeadChange | None:
    head = adapted.head
    return None if head is None else ClassHeadChange(head.start, head.lengths, tuple(head.bias.tolist()))


def matrix_changes(adapted: AdaptedModel) -> tuple[MatrixChange, ...]:
    """Return ||W' - W|| / ||W|| (Frobenius) of every matrix, from sigma: U and V are orthogonal."""
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


def _watch_heads(adapted: AdaptedModel, images: Tensor, report: Report) -> _Watched | None:
    """Record the heads of a model; None with too few images or a tower without an exact sum."""
    view = open_tower(adapted.model) if len(images) >= FEWEST_IMAGES else None
    if view is None:
        return None
    return _Watched(view, gather_heads(adapted.model, view, images.to(adapted.backbone.device), report))


def _centre(adapted: AdaptedModel, images: Tensor, after: _Watched | None, before: _Watched | None) -> Centre:
    """Return the mean embeddings, from recorded outputs where there are any."""
    if after is None or before is None:
        return centre_of_run(adapted, images)
    return keep_centre(adapted, after.found.embedding, before.found.embedding)


def _read_heads(watched: _Watched | None, corpus: EmbeddedCorpus, report: Report) -> Readings:
    if watched is None:
        return {}
    read = read_heads(watched.view, watched.found, corpus, report)
    return {(layer, head): reading for layer, head, reading in read}
