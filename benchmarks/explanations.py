"""Whether explanations name what was planted, and how often anything can be said at all.

In drawn pictures one attribute alone decides the class. After adaptation on some of them, the others are
read: does the axis of that attribute lead among the phrases that tell the classes apart? The same with
shuffled labels says how often it would lead for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from clipsvd_app.corpus import load_corpus
from clipsvd_app.demo_studies.lesion import PlantedAxis, render_lesion
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import recipe_for
from clipsvd_app.engine.data.examples import Examples
from clipsvd_app.engine.data.features import embed_squares
from clipsvd_app.engine.data.images import model_square, normalise, training_side
from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.explain.class_words import UnseenPart, class_changes, leading_axis
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.engine.explain.run_controls import is_above
from clipsvd_app.engine.fitting.adapt import adapt, adapted_model
from clipsvd_app.engine.fitting.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from clipsvd_app.domain.results.explanation import (
        CaseExplanation,
        ClassChange,
        ClassPhrase,
        RunExplanation,
    )
    from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report

TRAIN_IMAGES, UNSEEN_IMAGES, CASES = 24, 64, 3
_DRAWN_PX = 192
_MODALITY = ("ultrasound",)
_RECIPE = recipe_for("quick")
_CLASSES = (
    ClassSpec("first kind", ("an ultrasound image of the first kind",)),
    ClassSpec("second kind", ("an ultrasound image of the second kind",)),
)


@dataclass(frozen=True, slots=True)
class PlantedRecord:
    """One seed: what led with true and with shuffled labels, and how much could be said of the true run."""

    seed: int
    planted: str
    led: str
    led_before_adaptation: str
    led_shuffled: str
    phrases: tuple[str, ...]
    planted_before: float
    """Sum of the scores of the told phrases of the planted axis, before and after adaptation."""
    planted_after: float
    unreliable: bool
    """Something sets a class apart, but negative controls keep it from being told."""
    accuracy: float
    heads_above_null: float
    maps_passed: float
    maps_specific: float
    explained_by_concepts: float


@dataclass(frozen=True, slots=True)
class PlantedFigures:
    """All seeds together; shares from 0 to 1."""

    records: tuple[PlantedRecord, ...]
    named: int
    named_shuffled: int
    named_before_adaptation: int
    unreliable: int
    strengthened: int
    """Seeds in which the told phrases of the planted axis score higher after adaptation."""
    heads_above_null: float
    maps_passed: float
    maps_specific: float
    explained_by_concepts: float


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPictures:
    """Pictures (side, side, 3) uint8 with their labels, 0 and 1 in turn."""

    pictures: tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], ...]
    labels: tuple[int, ...]


def planted_figures(warm: WarmBackbone, axis: PlantedAxis, seeds: int, report: Report) -> PlantedFigures:
    """Plant an attribute in ``seeds`` sets of drawn pictures and count how often its axis leads."""
    records = tuple(_planted(warm, axis, seed, report) for seed in range(seeds))
    return PlantedFigures(
        records=records,
        named=sum(record.led == axis for record in records),
        named_shuffled=sum(record.led_shuffled == axis for record in records),
        named_before_adaptation=sum(record.led_before_adaptation == axis for record in records),
        unreliable=sum(record.unreliable for record in records),
        strengthened=sum(record.planted_after > record.planted_before for record in records),
        heads_above_null=_mean([record.heads_above_null for record in records]),
        maps_passed=_mean([record.maps_passed for record in records]),
        maps_specific=_mean([record.maps_specific for record in records]),
        explained_by_concepts=_mean([record.explained_by_concepts for record in records]),
    )


def _planted(warm: WarmBackbone, axis: PlantedAxis, seed: int, report: Report) -> PlantedRecord:
    generator = np.random.default_rng((seed, 7))
    train, unseen = (draw_planted(generator, axis, count) for count in (TRAIN_IMAGES, UNSEEN_IMAGES))
    images = planted_inputs(warm, unseen)
    adapted = adapt_planted(warm, train, seed, report)
    words = _words(adapted, images, unseen.labels, report)
    shuffled_train = replace(train, labels=tuple(generator.permutation(train.labels).tolist()))
    shuffled = adapt_planted(warm, shuffled_train, seed, report)
    shuffled_labels = generator.permutation(unseen.labels).tolist()
    run = explain_run(adapted, images, report)
    cases = [explain_case(adapted, image, place, report) for place, image in enumerate(images[:CASES])]
    answers = adapted.probabilities(images).argmax(dim=1).tolist()
    return PlantedRecord(
        seed=seed,
        planted=axis,
        led=leading_axis(words),
        led_before_adaptation=leading_axis(words, adapted=False),
        led_shuffled=leading_axis(_words(shuffled, images, shuffled_labels, report)),
        phrases=tuple(phrase.text for change in words for phrase in change.told_after()),
        planted_before=sum(phrase.before for phrase in _planted_phrases(words, axis)),
        planted_after=sum(phrase.after for phrase in _planted_phrases(words, axis)),
        unreliable=any(change.after.is_above and not change.after.is_told for change in words),
        accuracy=_mean(
            [float(answer == label) for answer, label in zip(answers, unseen.labels, strict=True)]
        ),
        heads_above_null=_heads_above(run),
        maps_passed=_mean([float(case.map_passed) for case in cases]),
        maps_specific=_mean([float(_is_specific(case)) for case in cases]),
        explained_by_concepts=_mean([float(_explained(case)) for case in cases]),
    )


def draw_planted(generator: np.random.Generator, axis: PlantedAxis, count: int) -> DrawnPictures:
    """Draw pictures in which an attribute alone decides the class."""
    labels = tuple(place % 2 for place in range(count))
    grey = [render_lesion(generator, axis, planted=label == 1, size=_DRAWN_PX) for label in labels]
    return DrawnPictures(tuple(np.repeat(picture[..., None], 3, axis=2) for picture in grey), labels)


def planted_inputs(warm: WarmBackbone, drawn: DrawnPictures) -> Tensor:
    """Return them as the model takes them (pictures, 3, size, size)."""
    preprocessing = warm.backbone.preprocessing
    plain = torch.stack([model_square(picture, preprocessing.size) for picture in drawn.pictures])
    return normalise(plain, preprocessing).to(warm.backbone.device)


def adapt_planted(warm: WarmBackbone, drawn: DrawnPictures, seed: int, report: Report) -> AdaptedModel:
    """Fit the quick recipe; every picture is a patient of its own."""
    preprocessing = warm.backbone.preprocessing
    larger, plain = (
        torch.stack([model_square(picture, side) for picture in drawn.pictures])
        for side in (training_side(preprocessing), preprocessing.size)
    )
    patients = tuple(str(place) for place in range(len(drawn.labels)))
    learner = Learner(warm.backbone, warm.basis(report), _CLASSES, _RECIPE)
    features = embed_squares(warm.backbone.model, warm.backbone, plain, report)
    trained = adapt(learner, Examples(larger, plain, features, drawn.labels, patients), seed, report)
    return adapted_model(learner, trained)


def _words(
    adapted: AdaptedModel, images: Tensor, labels: Sequence[int], report: Report
) -> tuple[ClassChange, ...]:
    """Read unseen images as a run's explanation does; each is a patient of its own."""
    phrases = load_corpus().phrases
    after = _cosines(adapted, images, corpus := embed_corpus(adapted, phrases, _MODALITY, report))
    base = adapted.base
    before = _cosines(base, images, embed_corpus(base, phrases, _MODALITY, report))
    patient_ids = tuple(str(place) for place in range(len(images)))
    return class_changes(
        [UnseenPart(tuple(labels), patient_ids, before, after)], corpus.phrases, len(_CLASSES)
    )


def _cosines(adapted: AdaptedModel, images: Tensor, corpus: EmbeddedCorpus) -> NDArray[np.float32]:
    with torch.no_grad():
        return np.asarray(adapted.image_embeddings(images).cpu().numpy() @ corpus.centred.T)


def _planted_phrases(words: Sequence[ClassChange], axis: PlantedAxis) -> list[ClassPhrase]:
    return [phrase for change in words for phrase in change.told_after() if phrase.axis == axis]


def _heads_above(run: RunExplanation) -> float:
    read = [head.after for head in run.heads if head.after is not None]
    return _mean([float(is_above(reading) and not reading.is_control) for reading in read])


def _is_specific(case: CaseExplanation) -> bool:
    return case.map_specificity is not None and case.map_specificity.is_specific


def _explained(case: CaseExplanation) -> bool:
    return bool(case.concepts)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
