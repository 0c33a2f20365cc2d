"""What happens to pictures on their way into a folder: crops, turns, tone curves, few pixels, JPEG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .canvas import SIZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_SIDE = 24


def degrade(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (128, 128, 3) uint8 pixels, each change made to a share of the pictures only."""
    image = Image.fromarray(pixels).convert("RGB")
    if rng.random() < 0.4:
        image = image.rotate(rng.uniform(-10, 10), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        image = _cropped(rng, image)
    if rng.random() < 0.2:
        side = round(SMALLEST_SIDE * (SIZE / SMALLEST_SIDE) ** rng.uniform(0, 0.7))
        image = image.resize((side, side), Image.Resampling.BOX).resize(
            (SIZE, SIZE), Image.Resampling.BICUBIC
        )
    if rng.random() < 0.25:
        image = _as_jpeg(image, int(rng.integers(15, 80)))
    if rng.random() < 0.4:
        table = (np.linspace(0, 1, 256) ** rng.uniform(0.55, 1.7) * 255).astype(np.uint8)
        return np.asarray(table[np.asarray(image)])
    return np.asarray(image, dtype=np.uint8)


def _cropped(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    width, height = SIZE * rng.uniform(0.75, 1.0, 2)
    left, top = rng.uniform(0, SIZE - width), rng.uniform(0, SIZE - height)
    box = (left, top, left + width, top + height)
    return image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box)


def _as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    with Image.open(io.BytesIO(stream.getvalue())) as opened:
        return opened.convert("RGB")
