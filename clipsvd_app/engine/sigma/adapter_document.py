"""The document of a trained model: what a new adapter file states about itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from clipsvd_app import __version__
from clipsvd_app.adapter_file.content import (
    LARGEST_PROMPTS,
)
from clipsvd_app.adapter_file.document import (
    LONGEST_LINE,
    MOST_CLASSES,
    MOST_PROMPTS_OF_A_CLASS,
    AccuracyInterval,
    AdapterClass,
    AdapterDocument,
    Base,
    BasisNote,
    Calibration,
    ClassifierDocument,
    EvaluatedMethod,
    EvaluationNote,
    HeadedDocument,
    HeadNote,
    Preprocessing,
    Training,
)
from clipsvd_app.adapter_file.plain_text import one_line
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.words.evaluation import verdict_sentence
from clipsvd_app.engine.device.torch_setup import versions
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.canaries import canaries_of
from clipsvd_app.engine.sigma.likeness import RECIPE_KEY
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.adapter_file.document import Canaries, LayerMethod
    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.likeness import Likeness
    from clipsvd_app.engine.sigma.trained import TrainedSigma
    from clipsvd_app.jobs.requests import ImageInput, TrainRequest


def require_storable(classes: Sequence[ClassSpec]) -> None:
    """Refuse classes that no adapter file can hold, before they are trained rather than after."""
    plain = [_plain_class(spec) for spec in classes]
    prompts = sum(len(spec.prompts) for spec in plain)
    most = max(plain, key=lambda spec: len(spec.prompts))
    long = [spec for spec in plain if max(map(len, (spec.name, *spec.prompts))) > LONGEST_LINE]
    remedy = "Use fewer prompts per class (Settings, or --class NAME=PROMPT); one is enough."
    if len(plain) > MOST_CLASSES:
        fault, remedy = f"{len(plain):,} classes (limit: {MOST_CLASSES})", "Train fewer classes at once."
    elif len(most.prompts) > MOST_PROMPTS_OF_A_CLASS:
        fault = (
            f"the {len(most.prompts)} prompts of “{most.name}” (limit: {MOST_PROMPTS_OF_A_CLASS} per class)"
        )
    elif prompts > LARGEST_PROMPTS:
        fault = f"the {prompts:,} prompts of all classes (limit: {LARGEST_PROMPTS:,})"
    elif long:
        fault = f"a text of “{long[0].name[:40]}” longer than {LONGEST_LINE:,} characters"
        remedy = "Shorten it."
    else:
        return
    raise UserError(f"An adapter file has no room for {fault}.", remedy=remedy, code="too_many_prompts")


def document_of(
    adapted: AdaptedModel,
    trained: TrainedSigma,
    request: TrainRequest,
    train_images: Sequence[ImageInput],
    evaluation: Evaluation,
    created: date | None = None,
    likeness: Likeness | None = None,
) -> AdapterDocument:
    """Return the document of a trained model with its canaries; ``created`` is by default today in UTC.

    ``likeness`` is stored among the settings of the recipe, under a name that other readers ignore.
    """
    backbone, basis = adapted.backbone, adapted.basis
    # Only the day: no time of day is stored, which could lead to the session that an adapter came from.
    day = created or datetime.now(tz=UTC).date()
    document = AdapterDocument(
        created=day.isoformat(),
        app_version=__version__,
        libraries={**versions(), "numpy": np.__version__},
        base=_base(backbone),
        basis=BasisNote(basis.algorithm, basis.dtype, basis.fingerprint),
        classes=tuple(_class_note(spec) for spec in adapted.classes),
        logit_scale=backbone.logit_scale,
        preprocessing=_preprocessing(backbone, flip=request.recipe.flip),
        training=_training(request, train_images, likeness, trained),
        evaluation=_evaluation(evaluation),
        canaries=canaries_of(adapted),
        calibration=_calibration(evaluation, trained),
    )
    if adapted.head is None:
        return document
    return HeadedDocument(**structs.asdict(document), head=HeadNote(adapted.head.start))


def classifier_document(
    method: LayerMethod,
    backbone: Backbone,
    request: TrainRequest,
    train_images: Sequence[ImageInput],
    evaluation: Evaluation,
    canaries: Canaries,
    likeness: Likeness | None = None,
    created: date | None = None,
) -> ClassifierDocument:
    """Return the document of a classifier on frozen features; ``created`` is by default today in UTC."""
    day = created or datetime.now(tz=UTC).date()
    return ClassifierDocument(
        created=day.isoformat(),
        app_version=__version__,
        libraries={**versions(), "numpy": np.__version__},
        base=_base(backbone),
        method=method,
        classes=tuple(_class_note(spec) for spec in plain_classes(request.classes)),
        preprocessing=_preprocessing(backbone, flip=False),
        training=_training(request, train_images, likeness),
        evaluation=_evaluation(evaluation),
        canaries=canaries,
    )


def _base(backbone: Backbone) -> Base:
    return Base(
        # 128 and 2,000 characters, here and below, are the schema's limits of a word and a line.
        name=one_line(backbone.name)[:128],
        source="an open_clip folder, known by the hash of its tensors",
        sha256=backbone.sha256,
        parameters=backbone.parameters,
        architecture=backbone.architecture,
    )


def with_plain_classes(adapted: AdaptedModel) -> AdaptedModel:
    """Return a model whose class texts may stand in a document, so that its canaries are of these texts."""
    classes = plain_classes(adapted.classes)
    if classes == adapted.classes:
        return adapted
    return AdaptedModel(
        adapted.backbone, adapted.basis, adapted.sigmas, classes, adapted.temperature, adapted.head
    )


def plain_classes(classes: Sequence[ClassSpec]) -> tuple[ClassSpec, ...]:
    """Return classes whose texts may stand in a document."""
    return tuple(_plain_class(spec) for spec in classes)


def _plain_class(spec: ClassSpec) -> ClassSpec:
    name = one_line(spec.name) or "unnamed"
    return ClassSpec(name, tuple(filter(None, map(one_line, spec.prompts))) or (name,))


def _class_note(spec: ClassSpec) -> AdapterClass:
    return AdapterClass(spec.name, spec.prompts)


def _preprocessing(backbone: Backbone, *, flip: bool) -> Preprocessing:
    stored = backbone.preprocessing
    return Preprocessing(
        size=(stored.size, stored.size),
        interpolation=stored.interpolation,
        resize="letterbox",
        mean=stored.mean,
        std=stored.std,
        laterality="mirrored copies were used in training" if flip else "as stored",
    )


def _training(
    request: TrainRequest,
    images: Sequence[ImageInput],
    likeness: Likeness | None,
    trained: TrainedSigma | None = None,
) -> Training:
    """Describe the training; a method on frozen features has neither recipe nor rate."""
    counts = Counter(image.label for image in images)
    recipe = {} if trained is None else to_json(request.recipe)
    carried = {} if likeness is None else {RECIPE_KEY: likeness.recipe_value()}
    return Training(
        recipe={name: tuple(value) if isinstance(value, list) else value for name, value in recipe.items()}
        | carried,
        learning_rate=0.0 if trained is None else trained.learning_rate,
        seed=request.seed,
        shots=request.shots,
        images_per_class=tuple(counts[index] for index in range(len(request.classes))),
        patients=len({image.patient for image in images}),
        split_sha256=_split_hash(request.images, images),
        # Cut to the length that the schema allows a word.
        device="" if trained is None else one_line(trained.device)[:128],
        seconds=0.0 if trained is None else round(trained.seconds, 1),
    )


def _split_hash(asked: Sequence[ImageInput], trained: Sequence[ImageInput]) -> str:
    """Hash which images were trained on, by their places among those of the run.

    Runs on the same images can be compared by it, whatever their numbers in a project. Without the images
    it reveals nothing.
    """
    ids = {image.id for image in trained}
    places = ",".join(f"{place}:{image.label}" for place, image in enumerate(asked) if image.id in ids)
    return hashlib.sha256(places.encode()).hexdigest()


def _calibration(evaluation: Evaluation, trained: TrainedSigma) -> Calibration:
    """Return the temperature of training, times the one that the run's unseen patients gave on top of it."""
    found = evaluation.calibration
    return Calibration(temperature=trained.temperature * (1.0 if found is None else found.temperature))


def _evaluation(evaluation: Evaluation) -> EvaluationNote:
    return EvaluationNote(
        # The format calls a test on the project's held-out patients "held_out".
        kind="held_out" if evaluation.kind == "locked" else evaluation.kind,
        images=evaluation.images,
        patients=evaluation.patients,
        methods=tuple(
            EvaluatedMethod(
                score.method,
                score.balanced_accuracy,
                AccuracyInterval(score.interval.low, score.interval.high),
            )
            for score in evaluation.methods
        ),
        verdict=evaluation.verdict,
        # Cut to the length that the schema allows a line.
        sentence=one_line(verdict_sentence(evaluation))[:2000],
    )
