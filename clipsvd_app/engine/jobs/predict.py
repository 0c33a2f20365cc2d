"""The prediction job: an exported model on images, compared with the unadapted model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file import AdapterContent, read_exported
from clipsvd_app.engine.baselines.frozen_classifier import prove_classifier
from clipsvd_app.engine.sigma.likeness import kind_cosines, likeness_of
from clipsvd_app.engine.training.labelled_images import LabelledImages, read_labelled_images
from clipsvd_app.jobs.answers import PredictedImage, PredictResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.adapter_file import ClassifierContent
    from clipsvd_app.domain.classes import ClassSpec
    from clipsvd_app.engine.sigma.likeness import Likeness
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.engine.statistics.metrics import Floats
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import PredictRequest

    Answer = Callable[[LabelledImages], Floats]


def run_predict(request: PredictRequest, warm: WarmBackbone, report: Report) -> PredictResult:
    """Predict every image that can be read; the others are listed with one sentence each."""
    content = read_exported(Path(request.adapter))
    classes, warnings, answer = _proven(content, warm, report)
    likeness = likeness_of(content.document.training.recipe)
    images = read_labelled_images(warm.features, request.images, report)
    found: tuple[PredictedImage, ...] = ()
    if images.inputs:
        after = answer(images)
        before = images.zero_shot_probabilities(classes)
        found = tuple(
            PredictedImage(image.id, tuple(map(float, one)), tuple(map(float, other)), unlike)
            for image, one, other, unlike in zip(
                images.inputs, after, before, _unlike(likeness, images), strict=True
            )
        )
    return PredictResult(
        tuple(spec.name for spec in classes),
        found,
        images.refused,
        warnings,
        learnt_kind="" if likeness is None else likeness.kind,
    )


def _unlike(likeness: Likeness | None, images: LabelledImages) -> list[str | None]:
    """Return for each image its kind if it is unlike the training images, else None."""
    if likeness is None:
        return [None] * len(images.inputs)
    return likeness.unlike(kind_cosines(images.backbone, images.features))


def _proven(
    content: AdapterContent | ClassifierContent, warm: WarmBackbone, report: Report
) -> tuple[tuple[ClassSpec, ...], tuple[str, ...], Answer]:
    """Return the classes, warnings about their prompts, and the function that predicts."""
    if isinstance(content, AdapterContent):
        loaded = warm.adapter(content, report)
        adapted = loaded.adapted
        return (
            adapted.classes,
            loaded.weak_prompts,
            lambda images: images.adapted_probabilities(adapted, range(len(images.inputs)), report),
        )
    classifier, warnings = prove_classifier(content, warm.backbone)
    return classifier.classes, warnings, lambda images: classifier.probabilities(images.features)
