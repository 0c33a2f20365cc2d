"""The class head of an adapter of format 2: two tensors beside the singular values, and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.adapter_file.container import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipsvd_app.adapter_file.container import Container, TensorEntry

# Stated in docs/sigma-adapter.md and docs/frozen-classifier.md; parts of the formats. Class texts are unit
# vectors and cosines are multiplied by 10 to 100, so that numbers of a fitted head stay far below the limit.
WIDEST = 8192
LARGEST_OF_HEAD = 10_000.0
OFFSETS, BIAS = "head.offsets", "head.bias"


@dataclass(frozen=True, slots=True, eq=False)
class HeadTensors:
    """What every class text and its logit gain. offsets: (classes, width), bias: (classes,), both fp32."""

    offsets: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def size(self) -> int:
        """How many numbers the head has."""
        return self.offsets.size + self.bias.size

    @property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the tensors by their names in the file."""
        return {BIAS: self.bias, OFFSETS: self.offsets}


def head_of(container: Container, raw: bytes) -> HeadTensors | None:
    """Return the head in the bytes of a file whose container was checked; refuses half a head."""
    found = {OFFSETS, BIAS} & container.tensors.keys()
    if not found:
        return None
    if len(found) == 1:
        refuse(f"it has only one tensor of its class head, “{found.pop()}”")
    offsets, bias = container.tensors[OFFSETS], container.tensors[BIAS]
    if (offsets.dtype, len(offsets.shape), bias.dtype, len(bias.shape)) != ("F32", 2, "F32", 1):
        refuse("its class head is not a table and a list of fp32 numbers")
    return HeadTensors(_values(offsets, raw), _values(bias, raw))


def require_sound_head(head: HeadTensors, classes: int) -> None:
    """Refuse shapes that do not fit the classes, and numbers that are not finite or implausibly large."""
    width = head.offsets.shape[-1]
    if head.offsets.shape != (classes, width) or not 1 <= width <= WIDEST:
        refuse("its class head does not have one row for each class")
    if head.bias.shape != (classes,):
        refuse("its class head does not have one bias for each class")
    require_plausible(head.tensors, LARGEST_OF_HEAD)


def require_plausible(tensors: Mapping[str, NDArray[np.float32]], largest: float) -> None:
    """Refuse tensors that are not fp32, not finite, or have a number larger than ``largest`` by magnitude."""
    for name, values in tensors.items():
        if values.dtype != np.float32:
            refuse(f"“{name}” is not stored in fp32")
        if not np.isfinite(values).all():
            refuse(f"“{name}” contains a number that is not finite")
        if np.abs(values).max() > largest:
            refuse(f"“{name}” contains an implausibly large number")


def _values(entry: TensorEntry, raw: bytes) -> NDArray[np.float32]:
    # A copy, as an array over the file's bytes cannot be written to.
    return np.frombuffer(raw[entry.begin : entry.end], dtype="<f4").astype(np.float32).reshape(entry.shape)
