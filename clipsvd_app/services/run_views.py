"""What a run saw of its images: their windows and regions may have been changed since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.jobs import ImageInput, WindowSpec
    from clipsvd_app.project import Project


def views_kept(images: Iterable[ImageInput]) -> dict[str, Any]:
    """Return what a run keeps of how it saw images: windows and region by number, for those with any."""
    return {
        str(image.id): {
            "window": _listed(image.window),
            "crop": image.crop and [image.crop.x, image.crop.y, image.crop.width, image.crop.height],
            "series_window": _listed(image.series_window),
        }
        for image in images
        if image.window is not None or image.crop is not None or image.series_window is not None
    }


def _listed(window: WindowSpec | None) -> list[Any] | None:
    return None if window is None else [window.centre, window.width, window.function]


@dataclass(frozen=True, slots=True)
class RunViews:
    """How a run saw images. known: those it had; views: None for runs that kept none."""

    known: frozenset[int]
    views: dict[str, Any] | None

    def seen(self, image: ProjectImage) -> ProjectImage:
        """Return an image with the window and region of the run; one that came later stays as it is now."""
        if self.views is None or image.id not in self.known:
            return image
        view = self.views.get(str(image.id), {})
        return replace(
            image, **{name: _tupled(view.get(name)) for name in ("window", "crop", "series_window")}
        )


def _tupled(value: list[Any] | None) -> Any:  # noqa: ANN401 - a window or a region
    return value and tuple(value)


def views_of_run(project: Project, number: int) -> RunViews:
    """Read how a run saw its images."""
    request = project.run_request(number)
    if "views" not in request:
        return RunViews(frozenset(), None)
    known = {prediction.image_id for prediction in project.run_result(number).predictions}
    labelled = {int(image_id) for image_id in request["labels"]}
    return RunViews(frozenset(known | labelled), request["views"])
