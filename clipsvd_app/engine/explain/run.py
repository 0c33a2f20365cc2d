"""What a run changed in the model: matrices, heads, directions and phrases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from clipsvd_app.corpus import load_corpus
from clipsvd_app.domain.results.explanation import (
    FEWEST_IMAGES,
    ClassHeadChange,
    HeadChange,
    HeadReading,
    MatrixChange,
    RunExplanation,
)
from clipsvd_app.engine.backbone.backbone import embed_images
from clipsvd_app.engine.explain.model.centre import centre_of_run
from clipsvd_app.engine.explain.model.directions import describe_directions
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus, likely_modalities
from clipsvd_app.engine.explain.model.heads import ov_changes
from clipsvd_app.engine.explain.model.image_tower import TowerView, Trace, open_light, open_tower
from clipsvd_app.engine.explain.model.inputs import gather_prompts, measuring
from clipsvd_app.engine.explain.model.text_span import gather_heads, read_heads
from clipsvd_app.engine.explain.run_controls import class_controls, run_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from clipsvd_app.domain.results.explanation import ClassChange
    from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

Readings = dict[tuple[int, int], HeadReading]
# Bounds memory, and the time between two reports.
_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What one pass of the reference images gave: embeddings (images, width) of any length, and the heads.

    ``heads`` is None with too few images or a tower without an exact sum.
    """

    embedding: Tensor
    heads: Trace | None


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
    measured = measuring(adapted)
    seen = _look(measured.model, open_tower(measured.model), images, report)
    seen_before = seen if adapted.base is adapted else _look(*open_light(adapted.base.model), images, report)
    centre = centre_of_run(adapted, seen.embedding, seen_before.embedding)
    corpus = load_corpus()
    modalities = likely_modalities(adapted, centre.base, report)
    embedded = embed_corpus(adapted, corpus.phrases, modalities, report)
    inputs = gather_prompts(adapted, measured, report)
    directions = describe_directions(adapted, inputs, embedded, ids)
    after = _read_heads(adapted, seen, embedded, report)
    before: Readings = {}
    if seen_before.heads is not None:
        base = embed_corpus(adapted.base, corpus.phrases, modalities, report)
        before = _read_heads(adapted.base, seen_before, base, report)
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


@torch.no_grad()
def _look(model: nn.Module, view: TowerView | None, images: Tensor, report: Report) -> _Seen:
    """Pass the images through one state of the model, once: everything about them is taken from this pass."""
    if view is not None and len(images) >= FEWEST_IMAGES:
        found = gather_heads(model, view, images, report)
        return _Seen(found.embedding, found)
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(images), _BATCH):
        report("Recording activations", start, len(images))
        parts.append(embed_images(model, images[start : start + _BATCH].to(device)))
    return _Seen(torch.cat(parts), None)


def _read_heads(adapted: AdaptedModel, seen: _Seen, corpus: EmbeddedCorpus, report: Report) -> Readings:
    # The model that measured has no weights to read: those are the adapted model's.
    view = open_tower(adapted.model)
    if view is None or seen.heads is None:
        return {}
    read = read_heads(view, seen.heads, corpus, report)
    return {(layer, head): reading for layer, head, reading in read}
