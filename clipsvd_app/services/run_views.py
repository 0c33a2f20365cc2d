"""What a run saw of its images: their windows and regions may have been changed since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.jobs import ImageInput
    from clipsvd_app.project import Project


def views_kept(images: Iterable[ImageInput]) -> dict[str, Any]:
    """Return what a run keeps of how it saw images: window and region by number, for those with either."""
    return {
        str(image.id): {
            "window": image.window and [image.window.centre, image.window.width, image.window.function],
            "crop": image.crop and [image.crop.x, image.crop.y, image.crop.width, image.crop.height],
        }
        for image in images
        if image.window is not None or image.crop is not None
    }


def as_seen_by(project: Project, number: int, images: Iterable[ProjectImage]) -> tuple[ProjectImage, ...]:
    """Return images with the window and region that a run saw them in.

    Images that came after the run, and those of runs that kept no views, are as they are now.
    """
    request = project.run_request(number)
    if "views" not in request:
        return tuple(images)
    known = {prediction.image_id for prediction in project.run_result(number).predictions}
    known |= {int(image_id) for image_id in request["labels"]}
    return tuple(_seen(image, request["views"]) if image.id in known else image for image in images)


def _seen(image: ProjectImage, views: dict[str, Any]) -> ProjectImage:
    view = views.get(str(image.id), {"window": None, "crop": None})
    window, crop = view["window"], view["crop"]
    return replace(image, window=window and tuple(window), crop=crop and tuple(crop))
