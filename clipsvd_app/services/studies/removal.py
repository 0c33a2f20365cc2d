"""Removing images from a project; their files are not touched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import RemoveImages, SetSeriesFlags, Together
from clipsvd_app.services.studies.series_reports import judge_without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project


def images_below(project: Project, paths: Sequence[Path]) -> tuple[ProjectImage, ...]:
    """Return the images whose file is one of ``paths`` or below one; a path without images is refused."""
    images = project.images()
    found: dict[int, ProjectImage] = {}
    for path in paths:
        place = path.resolve()
        own = [image for image in images if Path(image.path).is_relative_to(place)]
        if not own:
            raise UserError(
                f"The project has no image from “{path.name}”.",
                remedy="Use the path under which the file or folder was added.",
                code="unknown_image",
            )
        found |= {image.id: image for image in own}
    return tuple(found.values())


def removal(project: Project, images: Sequence[ProjectImage]) -> Together:
    """Return the change that removes images with their labels and checks their series again."""
    title = f"remove {counted(len(images), 'image')}"
    flags = SetSeriesFlags(judge_without(project, images))
    return Together((RemoveImages(tuple(image.id for image in images), title), flags), title)
