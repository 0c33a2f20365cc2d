"""What is written on the film: the side marker, the collimated edge, and that the film is synthetic."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.geometry import Field
    from clipsvd_app.demo_studies.exposure import Exposure

BURNT_IN_TEXT: Final = "SYNTHETIC - DEMO"


def annotate(film: Field, exposure: Exposure) -> Field:
    """Return the film with shuttered edges, its side marker and the burnt-in text (values 0 to 1)."""
    marked = collimate(film, exposure.collimation)
    size = film.shape[0]
    letter = _letters("L" if exposure.marker_left else "R", size, 0.055)
    row = round((exposure.marker_y + 1) / 2 * size)
    gap = round(0.075 * size)
    column = size - gap - letter.shape[1] if exposure.marker_left else gap
    _lay(marked, letter, row, column, 0.97)
    text = _letters(BURNT_IN_TEXT, size, 0.028)
    row, column = size - text.shape[0] - round(0.012 * size), round(0.015 * size)
    # A dark plate keeps the words legible over the abdomen.
    _lay(marked, np.ones((text.shape[0] + 4, text.shape[1] + 6), np.float32), row - 2, column - 3, 0.06)
    _lay(marked, text, row, column, 0.90)
    return marked


def collimate(film: Field, edges: tuple[float, float, float, float]) -> Field:
    """Darken what the shutters cover: left, top, right, bottom, each with a soft edge of about 2 mm."""
    at = np.linspace(-1.0, 1.0, film.shape[0], dtype=np.float32)
    left, top, right, bottom = (np.float32(edge) for edge in edges)
    across = _open(at, left) * _open(-at, right)
    down = _open(at, top) * _open(-at, bottom)
    return film * (np.float32(0.04) + np.float32(0.96) * down[:, None] * across[None, :])


def _open(at: Field, edge: np.float32) -> Field:
    if edge <= 0:
        return np.ones_like(at)
    opening: Field = np.clip((at + 1.0 - edge) / np.float32(0.012) + 0.5, 0.0, 1.0)
    return opening


def _lay(film: Field, letters: Field, row: int, column: int, level: float) -> None:
    part = film[row : row + letters.shape[0], column : column + letters.shape[1]]
    ink = letters[: part.shape[0], : part.shape[1]]
    part += (np.float32(level) - part) * ink


@lru_cache(maxsize=32)
def _letters(text: str, size: int, height: float) -> Field:
    """Return anti-aliased letters as coverage from 0 to 1."""
    font = ImageFont.load_default(size=max(height * size, 5.0))
    left, top, right, bottom = font.getbbox(text)
    sheet = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(sheet).text((1 - left, 1 - top), text, fill=255, font=font)
    coverage: Field = np.asarray(sheet, dtype=np.float32) / np.float32(255)
    return coverage
