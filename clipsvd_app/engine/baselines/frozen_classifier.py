"""Classifiers on frozen features as files: saved with a run, and used only on a backbone that they fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from clipsvd_app.adapter_file import ClassifierContent, write_adapter
from clipsvd_app.adapter_file.names import CLASSIFIER_SUFFIX
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.engine.backbone.backbone import Backbone, embed_images
from clipsvd_app.engine.baselines.methods import LINEAR_METHODS, small_products
from clipsvd_app.engine.sigma.adapter import input_checks, prompts_check, require
from clipsvd_app.engine.sigma.adapter_document import classifier_document, plain_classes
from clipsvd_app.engine.sigma.canaries import canaries_of, canary_check
from clipsvd_app.jobs.answers import Check, VerifyResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.engine.baselines.task import BaselineTask
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.sigma.likeness import Likeness
    from clipsvd_app.engine.statistics.metrics import Floats
    from clipsvd_app.jobs.requests import ImageInput, TrainRequest


@dataclass(frozen=True, slots=True)
class FrozenClassifier:
    """A linear layer (classes, width) on the unit image features of an unadapted backbone."""

    backbone: Backbone
    classes: tuple[ClassSpec, ...]
    weight: Tensor
    bias: Tensor

    def logits(self, images: Tensor) -> Tensor:
        """Return logits (images, classes) of preprocessed images, in fp64 on the CPU."""
        features = embed_images(self.backbone.model, images.to(self.backbone.device))
        return self._layer(features.cpu())

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes) of unit features (images, width)."""
        return np.asarray(functional.softmax(self._layer(torch.from_numpy(features)), dim=-1).numpy())

    def _layer(self, features: Tensor) -> Tensor:
        return features.double() @ self.weight.double().T + self.bias.double()


def save_classifiers(
    folder: Path,
    backbone: Backbone,
    task: BaselineTask,
    request: TrainRequest,
    train_images: Sequence[ImageInput],
    evaluation: Evaluation,
    created: date | None = None,
    likeness: Likeness | None = None,
) -> None:
    """Fit every linear method on all training images and write each as a file of its own."""
    folder.mkdir(exist_ok=True)
    for method, fit in LINEAR_METHODS.items():
        with small_products():
            weight, bias = fit(task).layer
        # What all classes share changes no probability, and would only cost digits when rounded to fp32.
        layer = [torch.from_numpy((part - part.mean(axis=0)).astype(np.float32)) for part in (weight, bias)]
        model = FrozenClassifier(backbone, plain_classes(request.classes), *layer)
        document = classifier_document(
            method, backbone, request, train_images, evaluation, canaries_of(model), likeness, created
        )
        content = ClassifierContent(document, *(part.numpy() for part in layer))
        write_adapter(folder / f"{method}{CLASSIFIER_SUFFIX}", content)


def prove_classifier(
    content: ClassifierContent, backbone: Backbone
) -> tuple[FrozenClassifier, tuple[str, ...]]:
    """Check that a classifier fits its backbone, or refuse it in one sentence.

    Returns it with warnings about words of its prompts that the model does not know.
    """
    for check in _checks(content, backbone):
        require(check)
    return _model(content, backbone), prompts_check(content, backbone).warnings


def verify_classifier(content: ClassifierContent, backbone: Backbone) -> VerifyResult:
    """Check a classifier against its backbone, up to the first check that fails."""
    read = Check("file", passed=True, detail=f"Format 1, {content.trained_numbers:,} numbers.")
    return VerifyResult((read, *_checks(content, backbone)))


def _checks(content: ClassifierContent, backbone: Backbone) -> Iterator[Check]:
    """Yield checks up to and including the first that fails."""
    for check in input_checks(content, backbone):
        yield check
        if not check.passed:
            return
    layer = _width_check(content, backbone)
    yield layer
    if not layer.passed:
        return
    prompts = prompts_check(content, backbone).check
    yield prompts
    if prompts.passed:
        yield canary_check(content.document.canaries, _model(content, backbone))


def _width_check(content: ClassifierContent, backbone: Backbone) -> Check:
    size = backbone.preprocessing.size
    with torch.no_grad():
        blank = torch.zeros((1, 3, size, size), device=backbone.device)
        width = embed_images(backbone.model, blank).shape[1]
    stated = content.weight.shape[1]
    if stated == width:
        return Check("layer", passed=True, detail=f"The layer takes the backbone's {width} features.")
    return Check("layer", passed=False, detail=f"It takes {stated} features, and the backbone has {width}.")


def _model(content: ClassifierContent, backbone: Backbone) -> FrozenClassifier:
    classes = tuple(entry.spec() for entry in content.document.classes)
    return FrozenClassifier(
        backbone, classes, torch.from_numpy(content.weight), torch.from_numpy(content.bias)
    )
