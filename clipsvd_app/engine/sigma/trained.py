"""The result of a fit: the trained singular values and how they were found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.results.run import RunNote, StepMetrics

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrainedSigma:
    """Trained and base singular values by target name, each (rank,) fp32 in the order of the base spectrum.

    ``seconds`` is the wall time of rate choice and fit; ``notes`` are for the user.
    """

    sigmas: dict[str, Vector]
    sigma_base: dict[str, Vector]
    learning_rate: float
    curve: tuple[StepMetrics, ...]
    device: str
    seconds: float
    notes: tuple[RunNote, ...] = ()

    @property
    def trainable_parameters(self) -> int:
        """How many numbers were trained."""
        return sum(sigma.size for sigma in self.sigmas.values())
