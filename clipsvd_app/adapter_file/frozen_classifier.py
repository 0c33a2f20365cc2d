"""The frozen-feature classifier, format 1: one linear layer on a model's own image features.

``NAME.classifier.safetensors`` has the container, the refusals and most of the document of a sigma adapter,
and two tensors: ``weight`` (classes, width) and ``bias`` (classes,). logits = features @ weight^T + bias,
where features are the unit image embeddings of the untouched base; their softmax are the probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.adapter_file.class_head import WIDEST, require_plausible
from clipsvd_app.adapter_file.container import refuse
from clipsvd_app.adapter_file.content import require_matching_classes
from clipsvd_app.adapter_file.document import ClassifierDocument

if TYPE_CHECKING:
    from clipsvd_app.adapter_file.container import Container

# Stated in docs/frozen-classifier.md; part of format 1.
LARGEST_WEIGHT = 1e6
_TENSORS = ("bias", "weight")


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierContent:
    """The content of a classifier file. weight: (classes, width) fp32, bias: (classes,) fp32."""

    document: ClassifierDocument
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def trained_numbers(self) -> int:
        """How many numbers the classifier has."""
        return self.weight.size + self.bias.size

    @property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the tensors by name, in the order of the names."""
        return {"bias": self.bias, "weight": self.weight}


def require_sound_classifier(content: ClassifierContent) -> None:
    """Refuse a classifier whose numbers or parts contradict the format."""
    document = content.document
    require_matching_classes(document.classes, document.canaries, document.training)
    classes, width = len(document.classes), content.weight.shape[-1]
    if content.weight.shape != (classes, width) or not 1 <= width <= WIDEST:
        refuse("its weights do not have one row for each class")
    if content.bias.shape != (classes,):
        refuse("its offsets are not one for each class")
    require_plausible(content.tensors, LARGEST_WEIGHT)


def classifier_content(document: ClassifierDocument, container: Container, raw: bytes) -> ClassifierContent:
    """Return the classifier in the bytes of a file whose container was checked."""
    if tuple(sorted(container.tensors)) != _TENSORS:
        refuse("it does not hold the two tensors “weight” and “bias”")
    weight, bias = container.tensors["weight"], container.tensors["bias"]
    if (weight.dtype, len(weight.shape), bias.dtype, len(bias.shape)) != ("F32", 2, "F32", 1):
        refuse("its tensors are not a table and a list of fp32 numbers")
    # A copy, as an array over the file's bytes cannot be written to.
    values = [
        np.frombuffer(raw[entry.begin : entry.end], dtype="<f4").astype(np.float32).reshape(entry.shape)
        for entry in (weight, bias)
    ]
    return ClassifierContent(document, *values)
