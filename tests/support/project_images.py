"""Images of a project without a project, and pictures to make one from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app.domain.project_values import ProjectImage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def project_image(number: int, class_id: int | None = None) -> ProjectImage:
    return ProjectImage(
        id=number,
        patient_number=number,
        study_number=1,
        series_number=1,
        series_id=1,
        patient_key="",
        sha256="",
        path=f"{number}.png",
        frame=0,
        modality="",
        body_part="",
        rows=8,
        columns=8,
        burned_in_text=False,
        class_id=class_id,
        window=None,
        crop=None,
    )


def draw_pictures(folder: Path, names: Iterable[str]) -> Path:
    """Write a small soft picture under each name, no two alike, and return their folder."""
    folder.mkdir()
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save(folder / name)
    return folder
