"""Frozen image features, cached on disk by content so that a preview answers at once."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clipsvd_app import settings
from clipsvd_app.domain.records import to_json
from clipsvd_app.engine.backbone.backbone import Backbone, embed_images, require_finite
from clipsvd_app.engine.data.images import Squares, normalise, read_squares
from clipsvd_app.errors import UserError
from clipsvd_app.files import keep
from clipsvd_app.imaging.files.known_hashes import known_sha256, require_content
from clipsvd_app.imaging.reading import PIXELS_VERSION
from clipsvd_app.jobs.requests import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.run import StepMetrics
    from clipsvd_app.jobs.lines import Report

Features = NDArray[np.float32]
# Bounds the memory of one pass, and the time between two reports.
_BATCH = 32
# 150 kB each at 224 x 224: ten thousand images would be 1.5 GB, and twice that while they are stacked.
_IMAGES_AT_ONCE = 512
_STAGE = "Computing features"
# Raise this when the same pixels are letterboxed or embedded differently.
_VERSION = 2


@dataclass(frozen=True, slots=True)
class FrozenFeatures:
    """Unit features (images, width) of the ``inputs`` that could be read, in the order asked for."""

    features: Features
    inputs: tuple[ImageInput, ...]
    refused: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class FeatureStore:
    """Features of one backbone: in memory, and beneath the user's cache folder."""

    backbone: Backbone
    folder: Path | None = None
    _known: dict[str, Features] = field(default_factory=dict)

    def of(self, inputs: Sequence[ImageInput], report: Report) -> FrozenFeatures:
        """Return the features of images, computing only those that are not cached."""
        keys: dict[int, str] = {}
        refused: list[tuple[int, str]] = []
        for image in inputs:
            try:
                keys[image.id] = self._key(image)
            except UserError as error:
                refused.append((image.id, str(error)))
        missing = [image for image in inputs if image.id in keys and self._recall(keys[image.id]) is None]
        refused += self._compute(missing, keys, report)
        unread = {image_id for image_id, _ in refused}
        kept = tuple(image for image in inputs if image.id not in unread)
        rows = [self._known[keys[image.id]] for image in kept]
        return FrozenFeatures(np.stack(rows) if rows else np.empty((0, 0), np.float32), kept, tuple(refused))

    def of_squares(self, squares: Squares, report: Report) -> Features:
        """Return the features (images, width) of images that are already read at the model's size."""
        keys = [self._key(image) for image in squares.inputs]
        missing = [place for place, key in enumerate(keys) if self._recall(key) is None]
        if missing:
            rows = embed_squares(self.backbone.model, self.backbone, squares.pixels[missing], report)
            for place, row in zip(missing, rows, strict=True):
                self._remember(keys[place], row)
        return np.stack([self._known[key] for key in keys])

    def _compute(
        self, images: list[ImageInput], keys: dict[int, str], report: Report
    ) -> tuple[tuple[int, str], ...]:
        """Compute features of as many images at a time as fit into memory; a cancel keeps what is done."""
        if len(images) <= _IMAGES_AT_ONCE:
            return self._compute_part(images, keys, report)
        refused: list[tuple[int, str]] = []
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            part = images[start : start + _IMAGES_AT_ONCE]
            refused += self._compute_part(part, keys, _part_of(report, start, len(part), len(images)))
        return tuple(refused)

    def _compute_part(
        self, images: list[ImageInput], keys: dict[int, str], report: Report
    ) -> tuple[tuple[int, str], ...]:
        preprocessing = self.backbone.preprocessing
        squares = read_squares(images, preprocessing.size, preprocessing.interpolation, report)
        rows = embed_squares(self.backbone.model, self.backbone, squares.pixels, report)
        for image, row in zip(squares.inputs, rows, strict=True):
            self._remember(keys[image.id], row)
        return squares.refused

    def _key(self, image: ImageInput) -> str:
        """Return a key of all that a feature depends on: model, reader, content and view of the image."""
        require_content(Path(image.path), image.sha256)
        content = image.sha256 or known_sha256(Path(image.path))
        view = [image.frame, *map(to_json, (image.window, image.crop, image.series_window))]
        facts = [_VERSION, self.backbone.fingerprint, PIXELS_VERSION, content, view]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _recall(self, key: str) -> Features | None:
        if key not in self._known:
            try:
                row = np.load(self._file(key), allow_pickle=False)
            except (OSError, ValueError, EOFError):
                return None
            if row.dtype != np.float32 or row.ndim != 1 or not np.isfinite(row).all():
                return None
            self._known[key] = row
        return self._known[key]

    def _remember(self, key: str, row: Features) -> None:
        self._known[key] = row
        raw = io.BytesIO()
        np.save(raw, row)
        keep(self._file(key), raw.getvalue())

    def _file(self, key: str) -> Path:
        root = self.folder or settings.cache_folder() / "features" / self.backbone.fingerprint
        # 256 subfolders: folders of ten thousand files are slow on some file systems.
        return root / key[:2] / f"{key}.npy"


def _part_of(report: Report, start: int, count: int, whole: int) -> Report:
    """Return a report that counts one part within the whole."""

    def told(stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        # Reading advances the progress bar; embedding only reports so that it can be cancelled.
        report(_STAGE, start + (count if stage == _STAGE else done), whole)

    return told


def embed_squares(model: nn.Module, backbone: Backbone, pixels: Tensor, report: Report) -> Features:
    """Return unit features (images, width) fp32 of letterboxed images (images, 3, size, size) uint8."""
    rows = []
    with torch.no_grad():
        for start in range(0, len(pixels), _BATCH):
            report(_STAGE, start, len(pixels))
            batch = normalise(pixels[start : start + _BATCH].to(backbone.device), backbone.preprocessing)
            rows.append(embed_images(model, batch).cpu())
    report(_STAGE, len(pixels), len(pixels))
    return require_finite(torch.cat(rows)).numpy() if rows else np.empty((0, 0), dtype=np.float32)
