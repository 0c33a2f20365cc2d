"""The adapted image tower with its classes, as one ONNX file that needs nothing of this program."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.adapter_file.header import document_text
from clipsvd_app.engine.backbone.backbone import embed_images
from clipsvd_app.engine.exports.parity import SEEDS, adapted_logits, parity_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.engine.sigma.adapter import LoadedAdapter
    from clipsvd_app.jobs.lines import Report

# The one that torch's exporter by ``torch.export`` writes without converting.
OPSET = 18
# onnx's reference evaluator is plain NumPy and slow.
CHECKED = 2
_STAGE = "Writing the ONNX file"
_INPUT = "pixels: (images, 3, {0}, {0}) uint8, RGB, fitted into a black square without cutting or stretching"


class ImageClassifier(nn.Module):
    """Images (images, 3, size, size) uint8 to logits and probabilities, (images, classes) fp32 each."""

    mean: Tensor
    std: Tensor
    classes: Tensor
    bias: Tensor

    def __init__(self, loaded: LoadedAdapter) -> None:
        super().__init__()
        backbone = loaded.adapted.backbone
        self.model = loaded.adapted.model
        self.scale = backbone.logit_scale
        self.temperature = loaded.adapted.temperature
        self.register_buffer("mean", torch.tensor(backbone.preprocessing.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(backbone.preprocessing.std).view(1, 3, 1, 1))
        self.register_buffer("classes", loaded.adapted.class_vectors().detach().cpu().clone())
        self.register_buffer("bias", loaded.adapted.bias().detach().cpu().clone())

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise, embed, compare with the classes."""
        images = (pixels.float() / 255 - self.mean) / self.std
        logits = self.scale * embed_images(self.model, images) @ self.classes.T + self.bias
        return logits, functional.softmax(logits / self.temperature, dim=-1)


def write_onnx(file: Path, loaded: LoadedAdapter, report: Report) -> float:
    """Write the file, run it with onnx's own evaluator, and return the largest difference of a logit."""
    import onnx

    report(_STAGE, 0, 3)
    model = _exported(ImageClassifier(loaded).eval(), loaded)
    report(_STAGE, 1, 3)
    _strip_traces(model)
    expected = adapted_logits(loaded.adapted)
    for name, text in _metadata(loaded, expected).items():
        model.metadata_props.add(key=name, value=text)
    onnx.checker.check_model(model)
    onnx.save_model(model, str(file))
    report(_STAGE, 2, 3)
    difference = _reference_difference(model, loaded, expected)
    report(_STAGE, 3, 3)
    return difference


def _exported(classifier: ImageClassifier, loaded: LoadedAdapter) -> Any:  # noqa: ANN401 - an onnx.ModelProto
    # Two images: torch.export takes a dimension of 1 for a constant.
    pixels = parity_pixels(loaded.adapted.backbone.preprocessing)[:2]
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            classifier,
            (pixels,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["pixels"],
            output_names=["logits", "probabilities"],
            dynamic_shapes=({0: torch.export.Dim("images")},),
            verbose=False,
            optimize=True,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's messages about its internals."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _strip_traces(model: Any) -> None:  # noqa: ANN401
    """Remove the exporter's notes at every node: their stack traces hold paths of this computer."""
    for part in (model, model.graph, *model.functions):
        del part.metadata_props[:]
        part.doc_string = ""
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        for value in graph.value_info:
            del value.metadata_props[:]
            value.doc_string = ""
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""


def _metadata(loaded: LoadedAdapter, expected: Tensor) -> dict[str, str]:
    """Return the file's metadata; ``parity`` holds the logits of the documented synthetic images."""
    document = loaded.content.document
    return {
        "sigma_adapter": document_text(document),
        "classes": json.dumps([entry.name for entry in document.classes]),
        "input": _INPUT.format(loaded.adapted.backbone.preprocessing.size),
        "parity": json.dumps(
            {
                "generator": document.canaries.generator,
                "seeds": list(SEEDS),
                "logits": [[round(value, 6) for value in row] for row in expected.tolist()],
            }
        ),
        "notice": document.card.notice,
    }


def _reference_difference(model: Any, loaded: LoadedAdapter, expected: Tensor) -> float:  # noqa: ANN401
    from onnx.reference import ReferenceEvaluator

    pixels = parity_pixels(loaded.adapted.backbone.preprocessing)[:CHECKED].numpy()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logits = cast("list[np.ndarray]", ReferenceEvaluator(model).run(["logits"], {"pixels": pixels}))[0]
    return float(np.abs(logits - expected[:CHECKED].numpy()).max())
