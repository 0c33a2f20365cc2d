"""What every fit of a run has in common."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.backbone.backbone import Backbone
from clipsvd_app.engine.fitting.checkpoints import Checkpoints, NoCheckpoints
from clipsvd_app.engine.fitting.lower_cache import LowerCache
from clipsvd_app.engine.fitting.precision import compute_dtype
from clipsvd_app.engine.sigma.basis import Basis


@dataclass(frozen=True, slots=True)
class Learner:
    """A backbone with its basis, the classes and the recipe; fits share what ``lower`` has computed."""

    backbone: Backbone
    basis: Basis
    classes: tuple[ClassSpec, ...]
    recipe: Recipe
    checkpoints: Checkpoints = field(default_factory=NoCheckpoints)
    lower: LowerCache = field(default_factory=LowerCache)
    dtype: torch.dtype | None = None
    """The number type of the products; by default the device's fast one."""

    @property
    def compute_dtype(self) -> torch.dtype:
        """Return the number type in which steps multiply matrices."""
        return self.dtype or compute_dtype(self.backbone.device)
