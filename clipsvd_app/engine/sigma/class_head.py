"""The class head: what training may add to the class texts, beside the singular values.

logit_c(x) = logit_scale * z(x)·(t_c + o_c) + b_c, where z is the unit image embedding and t_c the unit text
embedding of class c; o_c and b_c are the head. With zeros it is zero-shot CLIP, in general any linear layer
on image embeddings, so that training can begin at the answers of a linear probe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ClassHead:
    """For each class an offset in the joint embedding space and a bias: (classes, width), (classes,) fp32.

    ``start``: the method on frozen features that training started the head from.
    """

    offsets: NDArray[np.float32]
    bias: NDArray[np.float32]
    start: str = "text_probe"

    @property
    def parameters(self) -> int:
        """How many numbers the head has."""
        return self.offsets.size + self.bias.size

    @property
    def lengths(self) -> tuple[float, ...]:
        """The length of each class's offset; class texts have length 1."""
        return tuple(np.linalg.norm(self.offsets.astype(np.float64), axis=1).tolist())

    def of(self, places: Sequence[int]) -> ClassHead:
        """Return the head of some of the classes."""
        chosen = list(places)
        return ClassHead(self.offsets[chosen], self.bias[chosen], self.start)

    def class_vectors(self, texts: Tensor) -> Tensor:
        """Return class texts (classes, width) with their offsets; no unit vectors."""
        return texts + torch.from_numpy(self.offsets).to(texts)

    def bias_like(self, texts: Tensor) -> Tensor:
        """Return the bias (classes,) with type and device of the class texts."""
        return torch.from_numpy(self.bias).to(texts)
