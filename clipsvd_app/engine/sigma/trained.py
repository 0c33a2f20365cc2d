"""The result of a fit: the trained singular values and how they were found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.engine.sigma.class_head import ClassHead

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrainedSigma:
    """Trained and base singular values by target name, each (rank,) fp32 in the order of the base spectrum.

    ``head`` was trained beside them, where the recipe asks for one. ``seconds`` is the wall time of rate
    choice and fit; ``notes`` are for the user.
    """

    sigmas: dict[str, Vector]
    sigma_base: dict[str, Vector]
    learning_rate: float
    curve: tuple[StepMetrics, ...]
    device: str
    seconds: float
    notes: tuple[RunNote, ...] = ()
    head: ClassHead | None = None

    @property
    def trainable_parameters(self) -> int:
        """How many numbers were trained."""
        head = 0 if self.head is None else self.head.parameters
        return sum(sigma.size for sigma in self.sigmas.values()) + head
