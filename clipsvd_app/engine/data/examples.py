"""Labelled images in memory: the training data of a fit and of its inner split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipsvd_app.engine.data.features import Features

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Examples:
    """Images with labels and patients.

    large: (images, 3, larger side, larger side) uint8, for random crops; plain: (images, 3, size, size)
    uint8, as the model sees them when it predicts; features: (images, width), unit, frozen.
    """

    large: Tensor
    plain: Tensor
    features: Features
    labels: tuple[int, ...]
    patient_ids: tuple[str, ...]

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def subset(self, positions: Sequence[int]) -> Examples:
        """Return the images at these positions, in this order."""
        index = torch.as_tensor(positions, dtype=torch.long)
        return Examples(
            self.large[index],
            self.plain[index],
            self.features[list(positions)],
            tuple(self.labels[position] for position in positions),
            tuple(self.patient_ids[position] for position in positions),
        )
