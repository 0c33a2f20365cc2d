"""How a run saw its images: windows and regions may have been changed since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from clipsvd_app.domain.view import Crop, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.jobs.requests import ImageInput
    from clipsvd_app.project import Project

_VIEWS = {"window": Window, "crop": Crop, "series_window": Window}


def views_kept(images: Iterable[ImageInput]) -> dict[str, Any]:
    """Return what a run stores of its images' views: windows and region by id, for images with any."""
    return {
        str(image.id): {
            "window": image.window and structs.astuple(image.window),
            "crop": image.crop and structs.astuple(image.crop),
            "series_window": image.series_window and structs.astuple(image.series_window),
        }
        for image in images
        if image.window is not None or image.crop is not None or image.series_window is not None
    }


@dataclass(frozen=True, slots=True)
class RunViews:
    """How a run saw its images. known: their ids. views: None for runs that stored none."""

    known: frozenset[int]
    views: dict[str, Any] | None

    def seen(self, image: ProjectImage) -> ProjectImage:
        """Return an image with the run's window and region; an image added later is returned as it is."""
        if self.views is None or image.id not in self.known:
            return image
        view = self.views.get(str(image.id), {})
        seen: dict[str, Any] = {
            name: kind(*view[name]) if view.get(name) else None for name, kind in _VIEWS.items()
        }
        return replace(image, **seen)


def views_of_run(project: Project, number: int) -> RunViews:
    """Return the stored views of a run's images."""
    request = project.run_request(number)
    if "views" not in request:
        return RunViews(frozenset(), None)
    known = {prediction.image_id for prediction in project.run_result(number).predictions}
    labelled = {int(image_id) for image_id in request["labels"]}
    return RunViews(frozenset(known | labelled), request["views"])
