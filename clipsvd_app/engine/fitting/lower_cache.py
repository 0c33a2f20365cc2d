"""What the untrained lower blocks make of each picture, computed once for all fits of a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

_BATCH = 32


@dataclass(slots=True)
class LowerCache:
    """Activations (tokens, width) by content of the picture and number of the view."""

    _known: dict[str, Tensor] = field(default_factory=dict)

    def of(
        self,
        pictures: Tensor,
        view: str,
        prepare: Callable[[Tensor, str], Tensor],
        lower: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Return the activations (pictures, tokens, width) of one view of each picture.

        pictures: (pictures, 3, side, side) uint8. prepare: one picture and its key to a model input
        (1, 3, size, size). lower: model inputs to activations.
        """
        keys = [picture_key(picture, view) for picture in pictures]
        missing = [place for place, key in enumerate(keys) if key not in self._known]
        for start in range(0, len(missing), _BATCH):
            places = missing[start : start + _BATCH]
            inputs = torch.cat([prepare(pictures[place : place + 1], keys[place]) for place in places])
            for place, activations in zip(places, lower(inputs), strict=True):
                self._known[keys[place]] = activations.clone()
        return torch.stack([self._known[key] for key in keys])


def picture_key(picture: Tensor, view: str) -> str:
    """Name a picture by its content, and the view of it."""
    return f"{hashlib.blake2b(picture.numpy().tobytes(), digest_size=16).hexdigest()}/{view}"
