"""Images as the model takes them: read, letterboxed to a square, stored as uint8, augmented in batches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import torch
from torch import Tensor
from torch.nn import functional

from clipsvd_app.engine.backbone.folder import Preprocessing
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import letterbox
from clipsvd_app.imaging.files.known_hashes import require_content
from clipsvd_app.imaging.guard.refusals import REPLACED
from clipsvd_app.imaging.reading import open_as_rgb
from clipsvd_app.jobs.requests import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from clipsvd_app.jobs.lines import Report

# Random crops are cut from a slightly larger image, so that a small crop is not blurred by enlarging.
TRAINING_MARGIN = 1.15
# Each fold copies its images from these, and the training steps need most of the memory.
_SHARE_OF_FREE_MEMORY = 0.25
# Changes as small as between two exposures of one patient: position, brightness and contrast vary, but no
# finding is turned over, cropped away or burnt out. Brightness is a share of the grey scale, contrast a
# factor.
_MAX_ROTATION_DEG = 8.0
_MAX_BRIGHTNESS = 0.1
_MAX_CONTRAST = 0.15


@dataclass(frozen=True, slots=True)
class Squares:
    """Letterboxed images (images, 3, side, side) uint8 of ``inputs``, and what could not be read.

    ``replaced``: refused images whose file is not the one that was added. ``larger``: by place among the
    ``inputs``, labelled images (3, larger side, larger side) uint8 that random crops are taken from.
    """

    pixels: Tensor
    inputs: tuple[ImageInput, ...]
    refused: tuple[tuple[int, str], ...] = ()
    replaced: tuple[int, ...] = ()
    larger: Mapping[int, Tensor] = field(default_factory=dict)


def read_squares(
    inputs: Sequence[ImageInput], side: int, interpolation: str, report: Report, larger_side: int = 0
) -> Squares:
    """Read images into squares of ``side`` pixels; an unreadable one is listed with its sentence.

    larger_side: labelled ones are kept at this side too, as many as memory allows; 0 keeps none.
    """
    pixels, refused, replaced = [], [], []
    kept: list[ImageInput] = []
    larger: dict[int, Tensor] = {}
    most_larger = squares_that_fit(larger_side) if larger_side else 0
    for done, image in enumerate(inputs):
        report("Reading images", done, len(inputs))
        try:
            rgb = open_image(image)
            if image.label is not None and len(larger) < most_larger:
                larger[len(kept)] = model_square(rgb, larger_side, interpolation)
            pixels.append(model_square(rgb, side, interpolation))
            kept.append(image)
        except UserError as error:
            refused.append((image.id, str(error)))
            if error.code == REPLACED:
                replaced.append(image.id)
    report("Reading images", len(inputs), len(inputs))
    stacked = torch.stack(pixels) if pixels else torch.empty((0, 3, side, side), dtype=torch.uint8)
    return Squares(stacked, tuple(kept), tuple(refused), tuple(replaced), larger)


def squares_that_fit(side: int) -> int:
    """Return how many images of a side in pixels a run may keep in the memory that is free now."""
    return int(psutil.virtual_memory().available * _SHARE_OF_FREE_MEMORY) // (3 * side**2)


def open_image(image: ImageInput) -> NDArray[np.uint8]:
    """Return (rows, columns, 3) uint8: one frame under its window and crop; a replaced file is refused."""
    require_content(Path(image.path), image.sha256)
    return open_as_rgb(Path(image.path), image.frame, image.window, image.crop, image.series_window)


def model_square(rgb: NDArray[np.uint8], side: int, interpolation: str = "bicubic") -> Tensor:
    """Fit (rows, columns, 3) uint8 into a black square (3, side, side)."""
    return torch.from_numpy(letterbox(rgb, side, interpolation)).permute(2, 0, 1).contiguous()


def training_side(preprocessing: Preprocessing) -> int:
    """Return the side in pixels of the images that random crops are taken from."""
    return math.ceil(preprocessing.size * TRAINING_MARGIN)


def normalise(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Scale uint8 or 0-255 images (images, 3, side, side) to the model's inputs, fp32."""
    mean = torch.tensor(preprocessing.mean, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=pixels.device).view(1, 3, 1, 1)
    return (pixels.float() / 255 - mean) / std


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes that preserve a finding: crop, mirroring, slight rotation, brightness and contrast.

    ``crop_scale`` is the smallest share of the area that a crop keeps; ``flip`` mirrors left-right.
    """

    preprocessing: Preprocessing
    crop_scale: float
    flip: bool

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Return augmented inputs (images, 3, size, size) of images (images, 3, side, side) uint8."""
        size = self.preprocessing.size
        theta = self._placements(len(pixels), generator).to(pixels.device)
        grid = functional.affine_grid(theta, [len(pixels), 3, size, size], align_corners=False)
        cut = functional.grid_sample(pixels.float(), grid, align_corners=False)
        return normalise(self._exposed(cut, generator), self.preprocessing)

    def _placements(self, count: int, generator: torch.Generator) -> Tensor:
        """Return affine maps (count, 2, 3) from the crop to the image, both in [-1, 1]."""
        # Drawn on the CPU and all at once, mirroring too where it is off: the other numbers then stay the
        # same.
        scale, x, y, turn, mirror = torch.rand((5, count), generator=generator)
        # The square root, because crop_scale is a share of the area.
        zoom = (self.crop_scale + (1 - self.crop_scale) * scale).sqrt()
        angle = (2 * turn - 1) * math.radians(_MAX_ROTATION_DEG)
        sign = torch.where(mirror < 0.5, -1.0, 1.0) if self.flip else torch.ones(count)
        shift_x, shift_y = (2 * x - 1) * (1 - zoom), (2 * y - 1) * (1 - zoom)
        cosine, sine = zoom * angle.cos(), zoom * angle.sin()
        rows = torch.stack([sign * cosine, -sine, shift_x, sign * sine, cosine, shift_y], dim=1)
        return rows.view(count, 2, 3)

    def _exposed(self, cut: Tensor, generator: torch.Generator) -> Tensor:
        gain, offset = (2 * torch.rand((2, len(cut), 1, 1, 1), generator=generator) - 1).to(cut.device)
        middle = cut.mean(dim=(1, 2, 3), keepdim=True)
        changed = (cut - middle) * (1 + _MAX_CONTRAST * gain) + middle + 255 * _MAX_BRIGHTNESS * offset
        return torch.clamp(changed, 0, 255)
