"""Canaries: synthetic images whose logits under the whole adapted model are written in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

from clipsvd_app.adapter_file.document import Canaries, Canary
from clipsvd_app.adapter_file.generator import canary_image
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.engine.data.images import normalise
from clipsvd_app.jobs.answers import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.backbone.folder import Preprocessing

# A reader takes the seeds from the file; three images cost little.
_SEEDS = (1, 2, 3)
# Far below the tolerance of 0.02, and short in the document.
_DIGITS = 5


class CanaryModel(Protocol):
    """A model that gives logits for images."""

    @property
    def backbone(self) -> Backbone:
        """Return its backbone."""

    def logits(self, images: Tensor) -> Tensor:
        """Return logits (images, classes) of preprocessed images."""


def canaries_of(adapted: CanaryModel) -> Canaries:
    """Return the canaries of a model: its logits for each synthetic image."""
    logits = _logits(adapted, _SEEDS).tolist()
    rounded = (tuple(round(value, _DIGITS) for value in row) for row in logits)
    return Canaries(tuple(Canary(seed, row) for seed, row in zip(_SEEDS, rounded, strict=True)))


def largest_difference(adapted: CanaryModel, canaries: Canaries) -> float:
    """Return the largest difference between a logit and the one in the file; 0 if there are none."""
    if not canaries.items:
        return 0.0
    ours = _logits(adapted, [canary.seed for canary in canaries.items])
    theirs = torch.tensor([canary.logits for canary in canaries.items], dtype=torch.float64)
    return float((ours - theirs).abs().max())


def canary_check(canaries: Canaries, adapted: CanaryModel) -> Check:
    """Compare the logits of the canaries with those in the file."""
    if not canaries.items:
        return Check("canaries", passed=True, detail="The file carries no canaries.")
    worst = largest_difference(adapted, canaries)
    return deviation_check(
        "canaries", f"logits of {counted(len(canaries.items), 'synthetic image')}", worst, canaries.tolerance
    )


def deviation_check(name: str, what: str, largest: float, allowed: float) -> Check:
    """Return a check that states the largest deviation and whether it is allowed."""
    detail = f"The {what} differ by at most {largest:.1e}, where {allowed:.0e} is allowed."
    return Check(name, largest <= allowed, detail, deviation=largest, allowed=allowed)


def canary_input(seed: int, preprocessing: Preprocessing) -> Tensor:
    """Return the synthetic image as the model takes it: (3, size, size) fp32, normalised."""
    pixels = torch.from_numpy(canary_image(seed, preprocessing.size, preprocessing.size))
    return normalise(pixels.permute(2, 0, 1)[None], preprocessing)[0]


def _logits(adapted: CanaryModel, seeds: Sequence[int]) -> Tensor:
    images = torch.stack([canary_input(seed, adapted.backbone.preprocessing) for seed in seeds])
    # TF32 convolutions, the default on recent GPUs, would be off by more than the tolerance.
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return adapted.logits(images).double().cpu()
