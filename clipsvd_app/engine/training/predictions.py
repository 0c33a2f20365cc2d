"""The prediction of a run for each image, with its neighbours, place and doubts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.results.run import Doubt, Prediction, Role
from clipsvd_app.engine.statistics.metrics import softmax
from clipsvd_app.engine.training.neighbours import nearest_training, places_on_map
from clipsvd_app.engine.training.outliers import Flags, learn_novelty, other_modality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.engine.statistics.metrics import Floats
    from clipsvd_app.engine.statistics.trust import Judged, Trust
    from clipsvd_app.engine.training.labelled_images import LabelledImages


@dataclass(frozen=True, slots=True)
class _Unlike:
    """Which images (images,) are far from the training images, and which are of another modality."""

    far: Flags
    modality: Flags

    def doubts(self, position: int) -> tuple[Doubt, ...]:
        """Return why this model may not be suited to an image."""
        found: list[Doubt] = ["far_from_training"] if self.far[position] else []
        return (*found, "other_modality") if self.modality[position] else tuple(found)


def predictions_of(
    images: LabelledImages,
    trained_on: Sequence[int],
    probabilities: Mapping[int, Floats],
    roles: Mapping[int, Role],
    trust: Trust | None,
) -> tuple[Prediction, ...]:
    """Return the predictions of all images; ``probabilities`` are the adapted ones by position."""
    if not images.inputs:
        return ()
    zero_shot = softmax(images.task(trained_on).zero_shot_logits(images.features))
    unlike = _unlike(images, trained_on)
    places = places_on_map(images.features)
    nearest = nearest_training(images.features, images.patient_ids(range(len(images.inputs))), trained_on)
    found = []
    for position, image in enumerate(images.inputs):
        role = roles.get(position, "pool")
        judged = None
        if trust is not None:
            judged = trust.judged.get(position) or trust.judge(
                probabilities[position], trained=role == "train"
            )
        doubts = unlike.doubts(position) + (() if judged is None else judged.doubts)
        found.append(
            Prediction(
                image_id=image.id,
                role=role,
                label=image.label,
                adapted=_row(probabilities[position]),
                zero_shot=_row(zero_shot[position]),
                calibrated=None if judged is None else _row(judged.probabilities),
                conformal=None if judged is None else judged.members,
                doubts=doubts,
                nearest=tuple(images.inputs[place].id for place in nearest[position]),
                place=(float(places[position, 0]), float(places[position, 1])),
                suspicion=_suspicion(judged, image.label) if role in ("test", "out_of_fold") else None,
            )
        )
    return tuple(found)


def _unlike(images: LabelledImages, trained_on: Sequence[int]) -> _Unlike:
    features, task = images.features, images.task(trained_on)
    far = np.zeros(len(features), dtype=bool)
    novelty = learn_novelty(task)
    if novelty is not None:
        far = novelty.far(features)
        far[list(trained_on)] = novelty.far_among_training()
    return _Unlike(far, other_modality(images.backbone, task.features, features))


def _suspicion(judged: Judged | None, label: int | None) -> float | None:
    """Return 1 - the probability that a model that never saw the patient gives the label."""
    return None if judged is None or label is None else 1 - float(judged.probabilities[label])


def _row(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
