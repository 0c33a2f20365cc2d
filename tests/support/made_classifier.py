"""Classifiers on frozen features, learnt from random features of a backbone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.engine.baselines.frozen_classifier import save_classifiers
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, TrainRequest

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.engine.backbone.backbone import Backbone

DISCS = (ClassSpec("bright disc", ("a bright disc",)), ClassSpec("dark disc", ("a dark disc",)))


def unit_rows(seed: int, rows: int, width: int) -> np.ndarray:
    """Return unit vectors (rows, width) fp32."""
    made = np.random.default_rng(seed).normal(size=(rows, width))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def made_task(width: int, classes: int = 2, images: int = 12) -> BaselineTask:
    """Return images of as many patients whose features lean toward the text of their class."""
    labels = tuple(number % classes for number in range(images))
    texts = unit_rows(1, classes, width)
    features = unit_rows(2, images, width) + 0.6 * texts[list(labels)]
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return BaselineTask(features, labels, tuple(map(str, range(images))), texts, 20.0, 3)


def write_made_classifiers(
    folder: Path, backbone: Backbone, width: int, classes: tuple[ClassSpec, ...] = DISCS
) -> BaselineTask:
    """Write the file of every method into ``folder`` and return what they learnt from."""
    task = made_task(width, len(classes))
    images = tuple(
        ImageInput(n, "/private/Doe.png", 0, f"Doe {n}", label) for n, label in enumerate(task.labels)
    )
    request = TrainRequest(BackboneRef("tiny", "/private"), classes, images, Recipe(), seed=3)
    evaluation = Evaluation("none")
    save_classifiers(folder, backbone, task, request, images, evaluation, date(2026, 11, 30))
    return task
