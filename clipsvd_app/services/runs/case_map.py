"""The map of a run's cases by their frozen features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.jobs.requests import BackboneRef, MapRequest, Projection
from clipsvd_app.services.files.job_folders import by_content, image_input, new_job

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.recipe import DeviceName

# Every image is embedded, and t-SNE's time grows faster than the number of points.
MOST_IMAGES = 2000


def prepare_map(
    images: Iterable[ProjectImage],
    backbone: BackboneRef,
    projection: Projection = "tsne",
    device: DeviceName = "auto",
) -> Path:
    """Write the map job of at most MOST_IMAGES images and return its folder."""
    inputs = tuple(image_input(image, None) for image in by_content(images))[:MOST_IMAGES]
    return new_job(MapRequest(backbone, inputs, projection, device))
