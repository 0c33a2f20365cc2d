"""The preview: what the labels so far predict for the whole pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.project_values import relabelled
from clipsvd_app.jobs.requests import BackboneRef, PreviewRequest
from clipsvd_app.services.files.job_folders import labelled_inputs, new_job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clipsvd_app.domain.project_values import ProjectClass, ProjectImage
    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.jobs.requests import ImageInput


def prepare_preview(
    classes: Sequence[ProjectClass],
    images: Sequence[ProjectImage],
    backbone: BackboneRef,
    query: str = "",
    device: DeviceName = "auto",
    known: PreviewInputs | None = None,
) -> Path | None:
    """Write the preview job and return its folder; None while there is nothing to preview.

    A text search needs no classes; predictions need two. known: what was asked last.
    """
    if not images or (len(classes) < 2 and not query.strip()):
        return None
    positions = {known.id: index for index, known in enumerate(classes)}
    specs = tuple(ClassSpec(known.name, known.prompts) for known in classes)
    inputs = (known or PreviewInputs()).of(images, positions)
    return new_job(PreviewRequest(backbone, specs, inputs, query, device))


class PreviewInputs:
    """What a preview is asked about the images; after a label only the input of that image is made again."""

    def __init__(self) -> None:
        self._images: Sequence[ProjectImage] = ()
        self._positions: dict[int, int] = {}
        self._inputs: list[ImageInput] = []
        self._place_of: dict[int, int] = {}

    def of(self, images: Sequence[ProjectImage], positions: dict[int, int]) -> tuple[ImageInput, ...]:
        """Return the inputs by content, without images that are left out. positions: by class id."""
        changed = relabelled(self._images, images) if positions == self._positions else None
        self._images, self._positions = images, positions
        if changed is None or any((i.mark == "excluded") == (i.id in self._place_of) for i in changed):
            self._inputs = list(labelled_inputs(images, positions))
            self._place_of = {image.id: place for place, image in enumerate(self._inputs)}
        else:
            for image in changed:
                if (place := self._place_of.get(image.id)) is not None:
                    label = None if image.example_of is None else positions[image.example_of]
                    self._inputs[place] = replace(
                        self._inputs[place], label=label, window=image.window, crop=image.crop
                    )
        return tuple(self._inputs)
