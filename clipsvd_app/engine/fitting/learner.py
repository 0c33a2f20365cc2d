"""What every fit of a run has in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.backbones import Backbone
from clipsvd_app.engine.basis import Basis
from clipsvd_app.engine.fitting.checkpoints import Checkpoints, NoCheckpoints
from clipsvd_app.engine.fitting.lower_cache import LowerCache


@dataclass(frozen=True, slots=True)
class Learner:
    """A backbone with its basis, the classes and the recipe; fits share what ``lower`` has computed."""

    backbone: Backbone
    basis: Basis
    classes: tuple[ClassSpec, ...]
    recipe: Recipe
    checkpoints: Checkpoints = field(default_factory=NoCheckpoints)
    lower: LowerCache = field(default_factory=LowerCache)
