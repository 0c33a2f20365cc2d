"""The preview: what the labels so far predict for the whole pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.jobs import BackboneRef, PreviewRequest
from clipsvd_app.services.files.job_folders import labelled_inputs, new_job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.domain.study import ProjectClass, ProjectImage


def prepare_preview(
    classes: Sequence[ProjectClass],
    images: Sequence[ProjectImage],
    backbone: BackboneRef,
    query: str = "",
    device: DeviceName = "auto",
) -> Path | None:
    """Write the preview job and return its folder; None while there is nothing to preview.

    A text search needs no classes; predictions need two.
    """
    if not images or (len(classes) < 2 and not query.strip()):
        return None
    positions = {known.id: index for index, known in enumerate(classes)}
    specs = tuple(ClassSpec(known.name, known.prompts) for known in classes)
    return new_job(PreviewRequest(backbone, specs, labelled_inputs(images, positions), query, device))
