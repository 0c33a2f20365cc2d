"""The training job: adapt, estimate on unseen patients, explain, and save."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from msgspec.structs import replace

from clipsvd_app import __version__, settings
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.results.run import Prediction, Role, RunNote, RunResult
from clipsvd_app.domain.words.notes import replaced_words
from clipsvd_app.engine.backbone.prompt_check import require_readable
from clipsvd_app.engine.baselines.frozen_classifier import save_classifiers
from clipsvd_app.engine.data.splits import Split, check_classes, draw_shots, set_aside
from clipsvd_app.engine.device.devices import device_title
from clipsvd_app.engine.explain.class_words import UnseenReader
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.engine.fitting.adapt import adapt, adapted_model, logging_report
from clipsvd_app.engine.fitting.checkpoints import FolderCheckpoints, run_checkpoints
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.sigma import basis
from clipsvd_app.engine.sigma.adapter import save_adapter
from clipsvd_app.engine.sigma.adapter_document import require_storable
from clipsvd_app.engine.sigma.likeness import kind_cosines, learn_likeness
from clipsvd_app.engine.statistics.trust import Trust, learn_trust
from clipsvd_app.engine.training.estimate import (
    Estimate,
    Rounds,
    Watcher,
    baseline_evaluation,
    cross_validated,
    cross_validation_rounds,
    fit_baselines,
    held_out,
    held_out_round,
)
from clipsvd_app.engine.training.labelled_images import LabelledImages, read_labelled_images
from clipsvd_app.engine.training.learning_curve import adapted_point, learning_curve
from clipsvd_app.engine.training.predictions import predictions_of
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.known_hashes import known_sha256
from clipsvd_app.imaging.guard.refusals import REPLACED
from clipsvd_app.imaging.reading import PIXELS_VERSION
from clipsvd_app.jobs.folders import CURVE_FILE
from clipsvd_app.jobs.lines import Announce, Report, unannounced
from clipsvd_app.jobs.requests import TrainRequest, without_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.engine.sigma.trained import TrainedSigma
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.engine.training.estimate import BaselineOutputs

ADAPTER_FILE = "adapter.safetensors"
CLASSIFIERS_FOLDER = "classifiers"
# TextSpan uses 64 images where there are so many (``text_span.ENOUGH_IMAGES``); more only take time.
_EXPLAINED_IMAGES = 64
# Beside those in the backbone's fingerprint: the libraries that read pixels, draw folds and fit baselines.
_LIBRARIES = ("numpy", "pillow", "pydicom", "scikit-learn", "scipy")


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request ready to train: its images, and the split into training and test."""

    request: TrainRequest
    images: LabelledImages
    split: Split
    rounds: Rounds
    weak_prompts: tuple[str, ...] = ()


def run_train(
    request: TrainRequest,
    folder: Path,
    warm: WarmBackbone,
    report: Report,
    announce: Announce = unannounced,
) -> RunResult:
    """Train, evaluate and explain; the adapter and the curve are written into ``folder``.

    The results of the methods on frozen features are announced within seconds, the verdict as soon as it is
    known; the explanation and everything else follow. The caller deletes the checkpoints once the result is
    stored.
    """
    start = time.monotonic()
    report = logging_report(report, folder / CURVE_FILE)
    checkpoints = checkpoints_of(request, warm.backbone)
    resumed = checkpoints.folder.exists()
    prepared = _prepare(request, warm, report)
    images, unseen = prepared.images, UnseenReader(prepared.images)
    baselines = fit_baselines(images, prepared.rounds, report)
    announce(baseline_evaluation(images, prepared.rounds, baselines))
    # Only now, because the basis takes up to a minute the first time, and the baselines do not need it.
    learner = Learner(warm.backbone, warm.basis(report), request.classes, request.recipe, checkpoints)
    positions = list(prepared.split.train)
    estimate, trained, adapted = _estimate_and_train(prepared, learner, baselines, unseen, report, announce)
    words = unseen.changes()
    evaluation, trust = _trust(prepared, estimate, positions, report)
    shown = [*positions, *(p for p in range(len(images.inputs)) if p not in set(positions))]
    shown = shown[:_EXPLAINED_IMAGES]
    ids = [images.inputs[position].id for position in shown]
    explanation = explain_run(adapted, images.model_inputs(shown), report, ids, words)
    train_images = [images.inputs[position] for position in positions]
    report("Saving the adapter", 0, 1)
    cosines = kind_cosines(warm.backbone, images.features[positions])
    likeness = learn_likeness(cosines, images.patient_ids(positions))
    save_adapter(
        folder / ADAPTER_FILE, adapted, trained, request, train_images, evaluation, likeness=likeness
    )
    save_classifiers(
        folder / CLASSIFIERS_FOLDER,
        warm.backbone,
        images.task(positions),
        request,
        train_images,
        evaluation,
        likeness=likeness,
    )
    return RunResult(
        class_names=tuple(spec.name for spec in request.classes),
        backbone_name=warm.backbone.name,
        backbone_sha256=warm.backbone.sha256,
        trainable_parameters=trained.trainable_parameters,
        head_parameters=0 if trained.head is None else trained.head.parameters,
        matrices=len(trained.sigmas),
        train_images=len(positions),
        train_patients=len({image.patient for image in train_images}),
        shots=request.shots,
        seed=request.seed,
        learning_rate=trained.learning_rate,
        plain=request.recipe.plain,
        start=trained.start,
        probe="" if trained.head is None else trained.head.start,
        share=trained.share,
        choice_folds=trained.choice_folds,
        device=trained.device,
        seconds=time.monotonic() - start,
        evaluation=evaluation,
        predictions=_predictions(prepared, positions, estimate, trust, adapted, report),
        explanation=explanation,
        curve=trained.curve,
        notes=(
            *trained.notes,
            *_notes(prepared),
            *([RunNote("resumed")] if resumed else []),
            *checkpoints.notes,
        ),
    )


def _trust(
    prepared: _Prepared, estimate: Estimate, trained_on: Sequence[int], report: Report
) -> tuple[Evaluation, Trust | None]:
    """Add calibration, prediction sets and the learning curve to an estimate."""
    images, names, tested = prepared.images, prepared.images.class_names, list(estimate.probabilities)
    evaluation, trust = learn_trust(
        estimate.evaluation, estimate.probabilities, images.labels(tested), images.patient_ids(tested)
    )
    if trust is None:
        return evaluation, None
    known = sorted({*trained_on, *tested} - _locked(prepared))
    point = adapted_point(evaluation, images.labels(trained_on))
    curve = learning_curve(images.task(known), names, point, report)
    return replace(evaluation, learning_curve=curve), trust


def _locked(prepared: _Prepared) -> set[int]:
    locked = set(prepared.request.locked)
    return {place for place, image in enumerate(prepared.images.inputs) if image.patient in locked}


def checkpoints_of(request: TrainRequest, backbone: Backbone) -> FolderCheckpoints:
    """Return the checkpoints of this run: the same request on the same computer resumes from them.

    Whatever can change a last digit makes it another run: the request, the content of its files (not their
    paths) and how they are read, the backbone, the device, its threads, and the libraries.
    """
    files = [_content_of(image.path) for image in request.images]
    facts = [
        to_json(without_paths(request)),
        files,
        PIXELS_VERSION,
        backbone.fingerprint,
        basis.ALGORITHM,
        __version__,
    ]
    facts += [device_title(backbone.device), torch.get_num_threads(), {n: version(n) for n in _LIBRARIES}]
    return run_checkpoints(settings.cache_folder() / "checkpoints", facts)


def _content_of(path: str) -> str:
    """Return the hash of a file; "" for an unreadable one, which is refused when it is read."""
    try:
        return known_sha256(Path(path))
    except UserError:
        return ""


def _prepare(request: TrainRequest, warm: WarmBackbone, report: Report) -> _Prepared:
    names = [spec.name for spec in request.classes]
    check_classes([image.label for image in request.images if image.label is not None], names)
    require_storable(request.classes)
    weak = require_readable(warm.backbone.tokenizer, request.classes)
    images = read_labelled_images(warm.features, request.images, report)
    _refuse_too_few_left(request, images)
    split = _split(request, images)
    check_classes(images.labels(split.train), names)
    images = images.with_classes(request.classes, request.seed, request.warnings)
    return _Prepared(request, images, split, _rounds(request, images, split), weak)


def _refuse_too_few_left(request: TrainRequest, images: LabelledImages) -> None:
    """Refuse to train if a class has no image left because its files were replaced."""
    left = set(images.labels(images.labelled))
    if images.replaced and len(left) < len(request.classes):
        raise UserError(
            f"{replaced_words(len(images.replaced), len(request.images))} Too few are left for training.",
            remedy="Locate the original files (File > Find moved images, or clipsvd relink), or add"
            " and label the new ones.",
            code=REPLACED,
        )


def _rounds(request: TrainRequest, images: LabelledImages, split: Split) -> Rounds:
    if split.test or request.locked or request.shots is not None:
        return held_out_round(images, split, "locked" if request.locked else "held_out")
    return cross_validation_rounds(images, split.train, request.recipe)


def _estimate_and_train(
    prepared: _Prepared,
    learner: Learner,
    baselines: BaselineOutputs,
    watch: Watcher,
    report: Report,
    announce: Announce,
) -> tuple[Estimate, TrainedSigma, AdaptedModel]:
    """Return the estimate, announced as soon as it is known, and the model that is kept."""
    images, rounds = prepared.images, prepared.rounds
    if rounds.kind == "cross_validated":
        estimate = cross_validated(images, learner, rounds, baselines, report, watch)
        announce(estimate.evaluation)
        return estimate, *_fit(prepared, learner, report)
    trained, adapted = _fit(prepared, learner, report)
    estimate = held_out(images, rounds, baselines, learner, trained, adapted, report, watch)
    if rounds.repeats:
        announce(estimate.evaluation)
    return estimate, trained, adapted


def _split(request: TrainRequest, images: LabelledImages) -> Split:
    """Return the split into training and test; without shots and held-out patients all images train."""
    free, aside = set_aside(images.patient_ids(images.labelled), request.locked).within(images.labelled).sides
    if request.shots is None:
        return Split(free, aside)
    drawn = draw_shots(images.labels(free), images.patient_ids(free), request.shots, request.seed).within(
        free
    )
    return Split(drawn.train, aside if request.locked else drawn.test)


def _fit(prepared: _Prepared, learner: Learner, report: Report) -> tuple[TrainedSigma, AdaptedModel]:
    examples = prepared.images.examples(prepared.split.train, report)
    trained = adapt(learner, examples, prepared.request.seed, report)
    return trained, adapted_model(learner, trained)


def _predictions(
    prepared: _Prepared,
    trained_on: Sequence[int],
    estimate: Estimate,
    trust: Trust | None,
    adapted: AdaptedModel,
    report: Report,
) -> tuple[Prediction, ...]:
    """Predict every readable image; one that was predicted as unseen keeps that prediction."""
    images = prepared.images
    others = [position for position in range(len(images.inputs)) if position not in estimate.probabilities]
    found = dict(estimate.probabilities)
    if others:
        rows = images.adapted_probabilities(adapted, others, report)
        found.update(zip(others, rows, strict=True))
    roles = _roles(estimate.evaluation, trained_on, estimate)
    return predictions_of(images, trained_on, found, roles, trust)


def _roles(evaluation: Evaluation, trained_on: Sequence[int], estimate: Estimate) -> dict[int, Role]:
    roles: dict[int, Role] = dict.fromkeys(trained_on, "train")
    unseen: Role = "out_of_fold" if evaluation.kind == "cross_validated" else "test"
    return roles | dict.fromkeys(estimate.probabilities, unseen)


def _notes(prepared: _Prepared) -> list[RunNote]:
    replaced, locked = len(prepared.images.replaced), len(prepared.request.locked)
    refused = len(prepared.images.refused) - replaced
    blank = len(prepared.images.blank)
    found = [
        RunNote("unread", refused),
        RunNote("replaced", replaced, len(prepared.request.images)),
        RunNote("fixed_test_set", locked),
        RunNote("blank", blank),
    ]
    said = (RunNote("stated", detail=sentence) for sentence in prepared.weak_prompts)
    return [*(note for note in found if note.count), *said]
