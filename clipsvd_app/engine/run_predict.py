"""The prediction job: an adapter on images, with the untouched model beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.engine.study_set import read_study_set
from clipsvd_app.jobs import PredictedImage, PredictRequest, PredictResult, Report

if TYPE_CHECKING:
    from clipsvd_app.engine.warm import WarmBackbone


def run_predict(request: PredictRequest, warm: WarmBackbone, report: Report) -> PredictResult:
    """Predict every image that can be read; the others are listed with one sentence each."""
    loaded = warm.adapter(read_adapter(Path(request.adapter)), report)
    adapted = loaded.adapted
    images = read_study_set(warm.features, request.images, report)
    positions = range(len(images.inputs))
    found: tuple[PredictedImage, ...] = ()
    if images.inputs:
        after = images.adapted_probabilities(adapted, positions, report)
        before = images.zero_shot_probabilities(adapted.classes)
        found = tuple(
            PredictedImage(image.id, tuple(map(float, one)), tuple(map(float, other)))
            for image, one, other in zip(images.inputs, after, before, strict=True)
        )
    return PredictResult(
        tuple(spec.name for spec in adapted.classes), found, images.refused, loaded.weak_prompts
    )
