from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from clipsvd_app.project import create_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path):
    with create_project(tmp_path / "study") as made:
        yield made


@pytest.fixture
def picture() -> Callable[..., Path]:
    """Write a PNG of smooth noise; the same seed gives the same picture."""

    def write(path: Path, seed: int, change: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(seed).integers(0, 256, (9, 8), dtype=np.uint8)
        pixels = np.asarray(Image.fromarray(coarse).resize((96, 108), Image.Resampling.BICUBIC)).copy()
        pixels[0, 0] = (int(pixels[0, 0]) + change) % 256
        Image.fromarray(pixels).save(path)
        return path

    return write
