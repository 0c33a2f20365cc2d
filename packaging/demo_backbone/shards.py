"""The cache of drawn pictures: files of 2,000 with pixels, statements and the teacher's features."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import degrade, draw_film, phantoms, real_images
from .canvas import SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from .teacher import Teacher

LENGTH = 2000
SEED = 21
REAL = "radiograph"
REAL_SHARE = 5


@dataclass(frozen=True, slots=True)
class Shard:
    """Pixels (n, 128, 128, 3) uint8, teacher features float16, modality and statements of each picture."""

    pixels: NDArray[np.uint8]
    pooled: NDArray[np.float16]
    spatial: NDArray[np.float16]
    facts: list[tuple[str, list[list[str]]]]


def render(folder: Path, number: int, teacher: Teacher, sources: list[Path], *, films: bool) -> None:
    """Draw one shard from its own random stream and store it; real images fill the first places.

    A shard of films holds chest films alone, drawn as the demo studies are.
    """
    rng = np.random.default_rng([SEED, number])
    pixels = np.empty((LENGTH, SIZE, SIZE, 3), dtype=np.uint8)
    facts: list[tuple[str, list[list[str]]]] = []
    for image in real_images.training_images(sources, rng, LENGTH // REAL_SHARE):
        pixels[len(facts)] = image
        facts.append((REAL, []))
    while len(facts) < LENGTH:
        picture = draw_film.draw(rng) if films else phantoms.draw(rng)
        pixels[len(facts)] = degrade.degrade(rng, picture.pixels)
        facts.append((picture.modality, [list(statement) for statement in picture.statements]))
    pooled, spatial = teacher.features(pixels)
    partial = folder / f"shard_{number:03d}.partial.npz"
    np.savez(
        partial,
        pixels=pixels,
        pooled=pooled.numpy(),
        spatial=spatial.numpy(),
        facts=np.array(json.dumps(facts)),
    )
    partial.replace(folder / f"shard_{number:03d}.npz")


def load(path: Path) -> Shard:
    """Read one shard."""
    with np.load(path) as arrays:
        return Shard(arrays["pixels"], arrays["pooled"], arrays["spatial"], json.loads(str(arrays["facts"])))


def first(shard: Shard, count: int) -> Shard:
    """Return the first pictures of a shard."""
    return Shard(shard.pixels[:count], shard.pooled[:count], shard.spatial[:count], shard.facts[:count])
