"""The training job: adapt, estimate honestly on unseen patients, explain, and save."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app import __version__, settings
from clipsvd_app.domain.codec import to_json
from clipsvd_app.domain.results import Prediction, Role, RunResult
from clipsvd_app.engine import basis, torch_setup
from clipsvd_app.engine.adapted import AdaptedModel
from clipsvd_app.engine.adapter import save_adapter
from clipsvd_app.engine.devices import device_title
from clipsvd_app.engine.estimate import Estimate, cross_validated, held_out
from clipsvd_app.engine.explain import explain_run
from clipsvd_app.engine.fitting.adapt import adapt, logging_report
from clipsvd_app.engine.fitting.checkpoints import FolderCheckpoints, run_checkpoints
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.splits import check_classes, draw_shots
from clipsvd_app.engine.study_set import StudySet, read_study_set
from clipsvd_app.jobs import Report, TrainRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from clipsvd_app.domain.evaluation import Evaluation
    from clipsvd_app.engine.backbones import Backbone
    from clipsvd_app.engine.trained import TrainedSigma
    from clipsvd_app.engine.warm import WarmBackbone

ADAPTER_FILE = "adapter.safetensors"
CURVE_FILE = "metrics.jsonl"
_EXPLAINED_IMAGES = 64
RESUMED = "This run went on where it had been stopped; its time counts from there."


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request ready to train: what is read, and what every fit has in common."""

    request: TrainRequest
    images: StudySet
    learner: Learner


def run_train(request: TrainRequest, folder: Path, warm: WarmBackbone, report: Report) -> RunResult:
    """Train, evaluate and explain; the adapter and the curve are written into ``folder``."""
    start = time.monotonic()
    report = logging_report(report, folder / CURVE_FILE)
    checkpoints = checkpoints_of(request, warm.backbone)
    resumed = checkpoints.folder.exists()
    prepared = _prepare(request, warm, checkpoints, report)
    positions, estimate, trained, adapted = _train_and_estimate(prepared, report)
    images = prepared.images
    shown = [*positions, *(p for p in range(len(images.inputs)) if p not in set(positions))]
    shown = shown[:_EXPLAINED_IMAGES]
    ids = [images.inputs[position].id for position in shown]
    explanation = explain_run(adapted, images.model_inputs(shown), report, ids)
    train_images = [images.inputs[position] for position in positions]
    report("Saving the adapter", 0, 1)
    save_adapter(folder / ADAPTER_FILE, adapted, trained, request, train_images, estimate.evaluation)
    result = RunResult(
        class_names=tuple(spec.name for spec in request.classes),
        backbone_name=warm.backbone.name,
        backbone_sha256=warm.backbone.sha256,
        trainable_parameters=trained.trainable_parameters,
        matrices=len(trained.sigmas),
        train_images=len(positions),
        train_groups=len({image.group for image in train_images}),
        shots=request.shots,
        seed=request.seed,
        learning_rate=trained.learning_rate,
        device=trained.device,
        seconds=time.monotonic() - start,
        evaluation=estimate.evaluation,
        predictions=_predictions(prepared, positions, estimate, adapted, report),
        explanation=explanation,
        curve=trained.curve,
        notes=(*trained.notes, *_refusal_notes(images), *([RESUMED] if resumed else [])),
    )
    checkpoints.clear()
    return result


def checkpoints_of(request: TrainRequest, backbone: Backbone) -> FolderCheckpoints:
    """Return where the fits of this very run are kept: the same request on the same machine goes on there.

    Whatever could change a last digit makes it another run: the request, the state of its files, the
    weights, the device, its threads, and the libraries.
    """
    files = [_state_of(image.path) for image in request.images]
    facts = [to_json(request), files, backbone.sha256, basis.ALGORITHM, __version__]
    facts += [device_title(backbone.device), torch.get_num_threads(), torch_setup.versions()]
    return run_checkpoints(settings.cache_folder() / "checkpoints", facts)


def _state_of(path: str) -> tuple[int, int]:
    """Return size and time of change of a file; an absent one is refused later, in its turn."""
    try:
        status = Path(path).stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _prepare(
    request: TrainRequest, warm: WarmBackbone, checkpoints: FolderCheckpoints, report: Report
) -> _Prepared:
    names = [spec.name for spec in request.classes]
    check_classes([image.label for image in request.images if image.label is not None], names)
    learner = Learner(warm.backbone, warm.basis(report), request.classes, request.recipe, checkpoints)
    images = read_study_set(warm.features, request.images, report)
    check_classes(images.labels(images.labelled), names)
    return _Prepared(request, images, learner)


def _train_and_estimate(
    prepared: _Prepared, report: Report
) -> tuple[list[int], Estimate, TrainedSigma, AdaptedModel]:
    """Return the training positions, the estimate, and the model that is kept."""
    request, images, learner = prepared.request, prepared.images, prepared.learner
    labelled = images.labelled
    if request.shots is None:
        estimate = cross_validated(learner, images, labelled, request.seed, report)
        trained, adapted = _fit(prepared, labelled, report)
        return labelled, estimate, trained, adapted
    drawn = draw_shots(images.labels(labelled), images.groups(labelled), request.shots, request.seed)
    split = drawn.within(labelled)
    trained, adapted = _fit(prepared, split.train, report)
    estimate = held_out(learner, images, split, trained, adapted, request.seed, report)
    return list(split.train), estimate, trained, adapted


def _fit(prepared: _Prepared, positions: Sequence[int], report: Report) -> tuple[TrainedSigma, AdaptedModel]:
    learner = prepared.learner
    trained = adapt(learner, prepared.images.examples(positions, report), prepared.request.seed, report)
    return trained, AdaptedModel(learner.backbone, learner.basis, trained.sigmas, learner.classes)


def _predictions(
    prepared: _Prepared, trained_on: Sequence[int], estimate: Estimate, adapted: AdaptedModel, report: Report
) -> tuple[Prediction, ...]:
    """Predict every readable image; an image estimated by a model that never saw it keeps that answer."""
    images = prepared.images
    others = [position for position in range(len(images.inputs)) if position not in estimate.probabilities]
    found = dict(estimate.probabilities)
    if others:
        rows = images.adapted_probabilities(adapted, others, report)
        found.update(zip(others, rows, strict=True))
    zero_shot = images.zero_shot_probabilities(prepared.request.classes)
    roles = _roles(estimate.evaluation, trained_on, estimate)
    return tuple(
        Prediction(
            image.id,
            roles.get(position, "pool"),
            image.label,
            _row(found[position]),
            _row(zero_shot[position]),
        )
        for position, image in enumerate(images.inputs)
    )


def _roles(evaluation: Evaluation, trained_on: Sequence[int], estimate: Estimate) -> dict[int, Role]:
    roles: dict[int, Role] = dict.fromkeys(trained_on, "train")
    unseen: Role = "test" if evaluation.kind == "held_out" else "out_of_fold"
    return roles | dict.fromkeys(estimate.probabilities, unseen)


def _refusal_notes(images: StudySet) -> list[str]:
    if not images.refused:
        return []
    return [f"{len(images.refused)} of the images could not be read and took no part."]


def _row(probabilities: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    return tuple(float(value) for value in probabilities)
