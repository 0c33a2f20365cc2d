"""The prediction job: an adapter on images, with the untouched model beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.engine.evaluation.likeness import kind_cosines, likeness_of
from clipsvd_app.engine.study_set import StudySet, read_study_set
from clipsvd_app.jobs import PredictedImage, PredictRequest, PredictResult, Report

if TYPE_CHECKING:
    from clipsvd_app.engine.evaluation.likeness import Likeness
    from clipsvd_app.engine.warm import WarmBackbone


def run_predict(request: PredictRequest, warm: WarmBackbone, report: Report) -> PredictResult:
    """Predict every image that can be read; the others are listed with one sentence each."""
    loaded = warm.adapter(read_adapter(Path(request.adapter)), report)
    adapted = loaded.adapted
    likeness = likeness_of(loaded.content.document.training.recipe)
    images = read_study_set(warm.features, request.images, report)
    positions = range(len(images.inputs))
    found: tuple[PredictedImage, ...] = ()
    if images.inputs:
        after = images.adapted_probabilities(adapted, positions, report)
        before = images.zero_shot_probabilities(adapted.classes)
        found = tuple(
            PredictedImage(image.id, tuple(map(float, one)), tuple(map(float, other)), unlike)
            for image, one, other, unlike in zip(
                images.inputs, after, before, _unlike(likeness, images), strict=True
            )
        )
    return PredictResult(
        tuple(spec.name for spec in adapted.classes),
        found,
        images.refused,
        loaded.weak_prompts,
        learnt_kind="" if likeness is None else likeness.kind,
    )


def _unlike(likeness: Likeness | None, images: StudySet) -> list[str | None]:
    """Return for each image its kind where it is unlike those of training, None where it is like them."""
    if likeness is None:
        return [None] * len(images.inputs)
    return likeness.unlike(kind_cosines(images.backbone, images.features))
