"""The result of a fit: the trained singular values and how they were found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.recipe import StartName
from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.engine.sigma.class_head import ClassHead

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrainedSigma:
    """Trained and base singular values by target name, each (rank,) fp32 in the order of the base spectrum.

    ``head`` stands beside them where training started from a probe. ``seconds`` is the wall time of choice
    and fit; ``notes`` are for the user.
    """

    sigmas: dict[str, Vector]
    sigma_base: dict[str, Vector]
    learning_rate: float
    curve: tuple[StepMetrics, ...]
    device: str
    seconds: float
    notes: tuple[RunNote, ...] = ()
    head: ClassHead | None = None
    start: StartName = "text"
    share: float = 1.0
    """How much of the trained change of the singular values was kept."""
    choice_folds: int = 0
    """Folds of the training patients on which that was chosen; 0 where it was not chosen."""
    temperature: float = 1.0
    """What logits are divided by, from training patients that the fits of the choice did not see."""

    @property
    def trainable_parameters(self) -> int:
        """How many numbers were trained."""
        head = 0 if self.head is None else self.head.parameters
        return sum(sigma.size for sigma in self.sigmas.values()) + head
