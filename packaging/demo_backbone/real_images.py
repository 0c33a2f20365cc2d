"""Real images without labels, from folders or MedMNIST files named on the command line, split by patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .canvas import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = {".png", ".jpg", ".jpeg"}


def has_even_patient(path: Path) -> bool:
    """Tell whether the patient number, the file name before ``_``, is even; other names count as even."""
    number = path.stem.split("_")[0]
    return not number.isdigit() or int(number) % 2 == 0


def has_odd_patient(path: Path) -> bool:
    """Tell whether the patient number is odd: these patients are kept for measuring."""
    return not has_even_patient(path)


def image_files(folder: Path, keep: Callable[[Path], bool]) -> list[Path]:
    """List the wanted image files below a folder, in order."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and keep(p))


def read_square(path: Path, size: int = SIZE) -> NDArray[np.uint8]:
    """Read an image as OpenCLIP prepares it: shortest side to size, centre crop, three channels."""
    with Image.open(path) as opened:
        grey = opened.convert("RGB")
    scale = size / min(grey.size)
    resized = grey.resize((round(grey.width * scale), round(grey.height * scale)), Image.Resampling.BICUBIC)
    left, top = (resized.width - size) // 2, (resized.height - size) // 2
    return np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)


def training_images(sources: list[Path], rng: np.random.Generator, count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield up to count unlabelled images, in equal parts from each source, cropped and shaded at random.

    Odd patients are left out.
    """
    for source in sources:
        share = count // len(sources)
        if source.suffix == ".npz":
            with np.load(source) as arrays:
                stack = arrays["train_images"]
            for number in rng.integers(len(stack), size=share):
                yield _varied(Image.fromarray(stack[number]).convert("RGB"), rng)
        else:
            files = image_files(source, has_even_patient)
            for number in rng.integers(len(files), size=share):
                with Image.open(files[int(number)]) as opened:
                    yield _varied(opened.convert("RGB"), rng)


def _varied(image: Image.Image, rng: np.random.Generator) -> NDArray[np.uint8]:
    side = min(image.size) * rng.uniform(0.55, 1.0)
    left, top = rng.uniform(0, image.width - side), rng.uniform(0, image.height - side)
    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image
    turned = image.rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR) if rng.random() < 0.5 else image
    view = turned.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    shaded = np.asarray(view, dtype=np.float32) * rng.uniform(0.75, 1.25) + rng.uniform(-25, 25)
    return np.asarray(np.clip(shaded, 0, 255), dtype=np.uint8)
