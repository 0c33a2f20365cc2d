"""One generator for each kind of picture, and how often each is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    draw_chest,
    draw_colour,
    draw_histology,
    draw_mammogram,
    draw_slices,
    draw_textures,
    draw_ultrasound,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from .phrasing import Picture

GENERATORS: tuple[tuple[Callable[[np.random.Generator], Picture], float], ...] = (
    (draw_ultrasound.draw, 0.34),
    (draw_chest.draw, 0.16),
    (draw_slices.draw_ct, 0.10),
    (draw_slices.draw_mr, 0.10),
    (draw_mammogram.draw, 0.08),
    (draw_colour.draw_skin, 0.06),
    (draw_colour.draw_fundus, 0.05),
    (draw_histology.draw, 0.05),
    (draw_textures.draw, 0.06),
)


def draw(rng: np.random.Generator) -> Picture:
    """Draw one phantom of a random kind."""
    shares = [share for _, share in GENERATORS]
    return GENERATORS[int(rng.choice(len(shares), p=shares))][0](rng)
