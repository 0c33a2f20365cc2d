"""The images of a request, read once: pixels, frozen features, labels, patients, and their classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.results.evaluation import Weakness
from clipsvd_app.engine.backbone.backbone import Backbone
from clipsvd_app.engine.backbone.prompts import class_embeddings
from clipsvd_app.engine.baselines.methods import frozen_outputs
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.data.examples import Examples
from clipsvd_app.engine.data.features import Features, FeatureStore, embed_squares
from clipsvd_app.engine.data.images import normalise, read_squares, training_side
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.guard.refusals import REPLACED
from clipsvd_app.jobs.requests import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import MethodName
    from clipsvd_app.engine.baselines.methods import MethodOutput
    from clipsvd_app.engine.data.splits import Split
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.engine.statistics.metrics import Floats
    from clipsvd_app.jobs.lines import Report


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Readable images in the order asked for; positions below are places in this order.

    plain: (images, 3, size, size) uint8; features: (images, width), unit, frozen; larger: images for
    random crops by position, as far as memory allows; the others are read again when they are needed.
    replaced: images that were refused because their file is not the one that was added.
    texts: unit embeddings (classes, width); seed: of every draw; warnings: what weakens an estimate.
    """

    backbone: Backbone
    inputs: tuple[ImageInput, ...]
    plain: Tensor
    features: Features
    refused: tuple[tuple[int, str], ...]
    larger: Mapping[int, Tensor] = field(default_factory=dict)
    replaced: tuple[int, ...] = ()
    classes: tuple[ClassSpec, ...] = ()
    texts: Features = field(default_factory=lambda: np.empty((0, 0), np.float32))
    seed: int = 0
    warnings: tuple[Weakness, ...] = ()

    @property
    def class_names(self) -> list[str]:
        """Return the names of the classes."""
        return [spec.name for spec in self.classes]

    @property
    def labelled(self) -> list[int]:
        """Positions of the images that have a label."""
        return [position for position, image in enumerate(self.inputs) if image.label is not None]

    @property
    def blank(self) -> list[int]:
        """Positions of labelled images of one single shade, as under a window that misses their values."""
        return [position for position in self.labelled if _is_blank(self.plain[position])]

    def labels(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Return the labels of labelled images."""
        found = tuple(self.inputs[position].label for position in positions)
        assert all(label is not None for label in found), "only labelled images have labels"
        return found  # type: ignore[return-value]

    def patient_ids(self, positions: Sequence[int]) -> tuple[str, ...]:
        """Return the patients of images."""
        return tuple(self.inputs[position].patient for position in positions)

    def examples(self, positions: Sequence[int], report: Report) -> Examples:
        """Return labelled images as examples; larger images that memory did not hold are read again."""
        places = list(positions)
        missing = [place for place in places if place not in self.larger]
        larger = self.larger if not missing else {**self.larger, **self._read_larger(missing, report)}
        stacked = torch.stack([larger[place] for place in places])
        return Examples(
            stacked, self.plain[places], self.features[places], self.labels(places), self.patient_ids(places)
        )

    def _read_larger(self, positions: list[int], report: Report) -> dict[int, Tensor]:
        preprocessing = self.backbone.preprocessing
        chosen = [self.inputs[position] for position in positions]
        read = read_squares(chosen, training_side(preprocessing), preprocessing.interpolation, report)
        if read.replaced:
            raise UserError(
                "An image was replaced by a different file during the run.",
                remedy="Train again; replaced files are left out.",
                code=REPLACED,
            )
        if read.refused:
            raise UserError(
                "An image can no longer be read.",
                remedy="Keep the folder or drive with the images connected, and train again.",
                code="image_lost",
            )
        return dict(zip(positions, read.pixels, strict=True))

    def adapted_probabilities(
        self, adapted: AdaptedModel, positions: Sequence[int], report: Report
    ) -> Floats:
        """Return (positions, classes) of the adapted model."""
        return probabilities_of(adapted, self.adapted_features(adapted, positions, report))

    def adapted_features(self, adapted: AdaptedModel, positions: Sequence[int], report: Report) -> Features:
        """Return unit embeddings (positions, width) of the adapted model."""
        return embed_squares(adapted.model, self.backbone, self.plain[list(positions)], report)

    def zero_shot_probabilities(self, classes: tuple[ClassSpec, ...]) -> Floats:
        """Return (images, classes) of the unadapted model."""
        texts = torch.from_numpy(_texts(self.backbone, classes))
        logits = _logits(self.backbone, self.features, texts, torch.zeros(len(texts)))
        return functional.softmax(logits, dim=-1).numpy()

    def with_classes(
        self, classes: tuple[ClassSpec, ...], seed: int, warnings: Sequence[Weakness] = ()
    ) -> LabelledImages:
        """Return the images with their classes, whose texts are embedded here, once."""
        texts = _texts(self.backbone, classes)
        return replace(self, classes=classes, texts=texts, seed=seed, warnings=tuple(warnings))

    def task(self, positions: Sequence[int]) -> BaselineTask:
        """Return labelled images as the training data of a method on frozen features."""
        return BaselineTask(
            self.features[list(positions)],
            self.labels(positions),
            self.patient_ids(positions),
            self.texts,
            self.backbone.logit_scale,
            self.seed,
        )

    def frozen_outputs(self, split: Split) -> dict[MethodName, MethodOutput]:
        """Return the outputs of all methods on frozen features for the test images."""
        return frozen_outputs(self.task(split.train), self.features[list(split.test)])

    def model_inputs(self, positions: Sequence[int]) -> Tensor:
        """Return preprocessed images (positions, 3, size, size) fp32."""
        pixels = self.plain[list(positions)].to(self.backbone.device)
        return normalise(pixels, self.backbone.preprocessing)


def read_labelled_images(store: FeatureStore, inputs: Sequence[ImageInput], report: Report) -> LabelledImages:
    """Read all images at the model's size, with their frozen features."""
    preprocessing = store.backbone.preprocessing
    squares = read_squares(
        inputs, preprocessing.size, preprocessing.interpolation, report, training_side(preprocessing)
    )
    features = store.of_squares(squares, report) if squares.inputs else np.empty((0, 0), np.float32)
    return LabelledImages(
        store.backbone,
        squares.inputs,
        squares.pixels,
        features,
        squares.refused,
        squares.larger,
        squares.replaced,
    )


def _texts(backbone: Backbone, classes: tuple[ClassSpec, ...]) -> Features:
    """Return the unit class embeddings (classes, width) of the unadapted model."""
    with torch.no_grad():
        embedded = class_embeddings(backbone.model, backbone, classes)
    return np.asarray(embedded.cpu().numpy())


def _is_blank(square: Tensor) -> bool:
    """Whether a letterboxed image (3, side, side) uint8 has a single shade within its black bars."""
    lit = (square != 0).any(dim=0)
    if not lit.any():
        return True
    rows, columns = (lit.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    inside = square[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    reaches_edges = max(inside.shape[1:]) == square.shape[-1]  # else a shape on black, which is content
    return reaches_edges and bool((inside == inside[:, :1, :1]).all())


def probabilities_of(adapted: AdaptedModel, features: Features) -> Floats:
    """Return (images, classes) of the adapted model from its image embeddings (images, width)."""
    logits = _logits(adapted.backbone, features, adapted.class_vectors(), adapted.bias())
    return adapted.softmax(logits).numpy()


def _logits(backbone: Backbone, features: Features, classes: Tensor, bias: Tensor) -> Tensor:
    # In fp64: a logit scale of 100 would magnify the rounding of fp32 sums.
    cosines = torch.from_numpy(features).double() @ classes.cpu().double().T
    return backbone.logit_scale * cosines + bias.cpu().double()
