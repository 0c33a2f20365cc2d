"""An adapter file for a backbone, with singular values moved at random in place of trained ones."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from support.changing import replace
from support.small_clip import moved_sigmas

from clipsvd_app.adapter_file import read_adapter, write_adapter
from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.adapter import save_adapter
from clipsvd_app.engine.sigma.trained import TrainedSigma
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, TrainRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

    from clipsvd_app.adapter_file import AdapterContent
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis
    from clipsvd_app.engine.sigma.class_head import ClassHead

DISCS = (
    ClassSpec("bright disc", ("this image shows a bright disc", "a bright finding")),
    ClassSpec("dark disc", ("this image shows a dark disc",)),
)


def write_made_adapter(
    path: Path,
    backbone: Backbone,
    basis: Basis,
    sigmas: dict[str, np.ndarray] | None = None,
    classes: tuple[ClassSpec, ...] = DISCS,
    head: ClassHead | None = None,
) -> AdapterContent:
    """Write an adapter whose singular values moved by a tenth of their RMS; return what was written."""
    sigmas = moved_sigmas(basis) if sigmas is None else sigmas
    images = tuple(ImageInput(number, f"{number}.png", 0, f"{number}", number % 2) for number in range(6))
    request = TrainRequest(BackboneRef("tiny", "tiny"), classes, images, Recipe(), seed=3)
    trained = TrainedSigma(sigmas, basis.sigma_base(), 0.04, (), "cpu", 1.5, head=head)
    adapted = AdaptedModel(backbone, basis, sigmas, classes, head=head)
    evaluation = Evaluation("none")
    return save_adapter(path, adapted, trained, request, images, evaluation, date(2026, 11, 21))


def rewritten(path: Path, change: Callable[[AdapterContent], AdapterContent]) -> Path:
    """Write a changed copy over an adapter and return its path."""
    write_adapter(path, change(read_adapter(path)))
    return path


def with_document(content: AdapterContent, **changes: object) -> AdapterContent:
    """Return the content with other entries in its document."""
    return replace(content, document=replace(content.document, **changes))  # type: ignore[arg-type]
