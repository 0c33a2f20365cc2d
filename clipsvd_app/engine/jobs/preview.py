"""The preview job: predictions for the pool from the labels so far, on frozen features, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.backbone.prompt_check import check_prompts, says_nothing
from clipsvd_app.engine.backbone.prompts import class_embeddings
from clipsvd_app.engine.baselines.text_probe import TextProbe, fit_text_probe
from clipsvd_app.engine.statistics.metrics import Floats, balanced_accuracy, confusion_matrix
from clipsvd_app.jobs.answers import Obstacle, PoolItem, PreviewResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from clipsvd_app.engine.data.features import Features, FrozenFeatures
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import PreviewRequest

# Of each image; the pool's order “similar” shows them first.
_NEAREST = 12
# Each costs a pass over all features; the next preview, after the next label, suggests others.
_SUGGESTED = 8
# In every class: one to learn from when the other is left out.
_MIN_PATIENTS = 2
_MIN_CLASSES = 2
# Rows at a time, which bounds memory and the time between two reports.
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class _Labelled:
    """The labelled images among all: positions, labels and patients."""

    positions: list[int]
    labels: list[int]
    patient_ids: list[str]


def run_preview(request: PreviewRequest, warm: WarmBackbone, report: Report) -> PreviewResult:
    """Predict all images by a text-initialised linear probe, and say which to label next.

    A labelled image is predicted only from the other patients' labels, so that a wrong label cannot confirm
    itself. With fewer than two classes nothing is predicted: the images are only compared, with each other
    and with the query.
    """
    frozen = warm.features.of(request.images, report)
    if not frozen.inputs:
        return PreviewResult((), None, (), "No images could be read.")
    likeness = _likeness(request.query, frozen.features, warm)
    nearest = _nearest(frozen, report)
    if len(request.classes) < _MIN_CLASSES:
        items = _pool_items(frozen, None, likeness, nearest)
        return PreviewResult(items, None, (), "Add a second class to see a preview.")
    prompts = check_prompts(warm.backbone.tokenizer, request.classes)
    if prompts.refusals:
        obstacles = tuple(Obstacle(error.message, error.remedy) for error in prompts.refusals)
        items = _pool_items(frozen, None, likeness, nearest)
        return PreviewResult(items, None, (), str(prompts.refusals[0]), obstacles)
    texts = class_embeddings(warm.backbone.model, warm.backbone, request.classes).cpu().numpy()
    labelled = _labelled(frozen)
    probe = _fit(frozen.features, labelled, texts, warm.backbone.logit_scale)
    probabilities = probe.probabilities(frozen.features)
    suggested = _suggest(frozen, _entropy(probabilities), labelled)
    unseen = _leave_one_patient_out(frozen.features, labelled, texts, warm.backbone.logit_scale)
    accuracy = None
    if unseen is not None:
        accuracy = _accuracy(labelled, unseen)
        probabilities[labelled.positions] = unseen
    items = _pool_items(frozen, probabilities, likeness, nearest)
    sentence = _sentence(labelled, accuracy)
    return PreviewResult(items, accuracy, suggested, sentence, warnings=prompts.warnings)


def _pool_items(
    frozen: FrozenFeatures,
    probabilities: Floats | None,
    likeness: Features | None,
    nearest: list[tuple[int, ...]],
) -> tuple[PoolItem, ...]:
    doubt = None if probabilities is None else _entropy(probabilities)
    return tuple(
        PoolItem(
            image.id,
            () if probabilities is None else tuple(map(float, probabilities[place])),
            0.0 if doubt is None else float(doubt[place]),
            None if likeness is None else float(likeness[place]),
            nearest[place],
        )
        for place, image in enumerate(frozen.inputs)
    )


def _labelled(frozen: FrozenFeatures) -> _Labelled:
    known = [
        (place, image.label, image.patient)
        for place, image in enumerate(frozen.inputs)
        if image.label is not None
    ]
    return _Labelled([k[0] for k in known], [k[1] for k in known], [k[2] for k in known])


def _fit(features: Features, labelled: _Labelled, texts: Features, scale: float) -> TextProbe:
    return fit_text_probe(features[labelled.positions], labelled.labels, texts, scale)


def _leave_one_patient_out(
    features: Features, labelled: _Labelled, texts: Features, scale: float
) -> Floats | None:
    """Return probabilities (labelled images, classes), each patient's from the others' labels.

    None with fewer than two patients in a class.
    """
    by_class = [
        {
            patient_id
            for patient_id, label in zip(labelled.patient_ids, labelled.labels, strict=True)
            if label == index
        }
        for index in range(len(texts))
    ]
    if min(len(patients) for patients in by_class) < _MIN_PATIENTS:
        return None
    patient_ids = np.asarray(labelled.patient_ids)
    labels, rows = np.asarray(labelled.labels, dtype=np.int64), features[labelled.positions]
    unseen = np.empty((len(labels), len(texts)))
    for patient_id in np.unique(patient_ids):
        out = patient_ids == patient_id
        probe = fit_text_probe(rows[~out], labels[~out].tolist(), texts, scale)
        unseen[out] = probe.probabilities(rows[out])
    return unseen


def _accuracy(labelled: _Labelled, unseen: Floats) -> float:
    labels = np.asarray(labelled.labels, dtype=np.int64)
    return balanced_accuracy(confusion_matrix(labels, unseen.argmax(axis=1), unseen.shape[1]))


def _entropy(probabilities: Floats) -> Floats:
    """Return the entropy of each row as a fraction of its maximum."""
    # A probability of 0 contributes nothing to the entropy; without the floor it would be NaN.
    logs = np.log(probabilities.clip(1e-12))
    return np.asarray(-(probabilities * logs).sum(axis=1) / np.log(probabilities.shape[1]))


def _likeness(query: str, features: Features, warm: WarmBackbone) -> Features | None:
    """Return the cosine of every image with the text; None without a text that the model can read."""
    if not query.strip() or says_nothing(warm.backbone.tokenizer, query):
        return None
    with torch.no_grad():
        embedded = embed_texts(warm.backbone.model, warm.backbone.tokenize([query]))
    return np.asarray(features @ embedded[0].cpu().numpy())


def _nearest(frozen: FrozenFeatures, report: Report) -> list[tuple[int, ...]]:
    """Return the ids of the most similar other images of each, nearest first.

    In blocks of rows: all cosines of 10,000 images at once would be 800 MB.
    """
    total = len(frozen.inputs)
    count = min(_NEAREST, total - 1)
    if count < 1:
        return [() for _ in frozen.inputs]
    rows: list[NDArray[np.intp]] = []
    for start in range(0, total, _BLOCK):
        report("Comparing the images", start, total)
        rows.extend(_nearest_of(start, frozen.features, count))
    return [tuple(frozen.inputs[place].id for place in row) for row in rows]


def _nearest_of(start: int, features: Features, count: int) -> NDArray[np.intp]:
    """Return the places (rows, count) of the images nearest to those of one block of rows."""
    cosines = features[start : start + _BLOCK] @ features.T
    rows = np.arange(len(cosines))
    cosines[rows, start + rows] = -np.inf
    # Sorted by place before the stable sort by cosine, so that equal images come in their own order.
    best = np.sort(np.argpartition(-cosines, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-cosines[rows[:, None], best], axis=1, kind="stable")
    return np.asarray(best[rows[:, None], order])


def _suggest(frozen: FrozenFeatures, doubt: Floats, labelled: _Labelled) -> tuple[int, ...]:
    """Return unlabelled images to label next: uncertain, and unlike those labelled or already chosen.

    Greedy on uncertainty times cosine distance to the nearest labelled or chosen image.
    """
    features, pool = frozen.features, _unlabelled(frozen)
    far: NDArray[np.float64] = np.ones(len(frozen.inputs))
    for position in labelled.positions:
        far = np.minimum(far, 1 - features @ features[position])
    chosen: list[int] = []
    for _ in range(min(_SUGGESTED, len(pool))):
        worth = doubt[pool] * far[pool].clip(0)
        best = pool[int(worth.argmax())]
        chosen.append(best)
        pool.remove(best)
        far = np.minimum(far, 1 - features @ features[best])
    return tuple(frozen.inputs[place].id for place in chosen)


def _unlabelled(frozen: FrozenFeatures) -> list[int]:
    return [place for place, image in enumerate(frozen.inputs) if image.label is None]


def _sentence(labelled: _Labelled, accuracy: float | None) -> str:
    if not labelled.positions:
        return "No labels yet: zero-shot predictions."
    if accuracy is None:
        return "Label at least two patients of every class to see an estimate."
    patients: Sequence[str] = sorted(set(labelled.patient_ids))
    return (
        f"Leave-one-patient-out balanced accuracy: {percent(accuracy)} ({counted(len(patients), 'patient')})."
    )
