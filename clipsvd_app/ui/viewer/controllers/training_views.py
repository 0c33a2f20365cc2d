"""The region and window that training uses of an image, as changes that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import SetView, Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.view import Window
    from clipsvd_app.project.changes import Change
    from clipsvd_app.ui.viewer.tools.geometry import Region

LEAST_SIDE_PX = 16


def region_change(images: Sequence[ProjectImage], region: Region | None) -> Change:
    """Give images a region in pixels, or the whole frame again; refuses one that is too small to learn from.

    Images of another size than the first keep what they have: the pixels would not be the same place.
    """
    first = images[0]
    if region is None:
        return _together([SetView(image.id, image.window, None) for image in images], "train on whole image")
    if min(region.width, region.height) < LEAST_SIDE_PX:
        raise UserError(
            f"A region of {region.width} × {region.height} pixels is too small for training.",
            remedy=f"Draw at least {LEAST_SIDE_PX} × {LEAST_SIDE_PX} pixels.",
            code="small_region",
        )
    alike = [image for image in images if (image.rows, image.columns) == (first.rows, first.columns)]
    crop = region.crop(first.rows, first.columns)
    return _together([SetView(image.id, image.window, crop) for image in alike], "train on region")


def window_change(images: Sequence[ProjectImage], window: Window | None) -> Change:
    """Give images a window, or the file's own again; their regions stay."""
    title = "train with this window" if window is not None else "train with the file's window"
    return _together([SetView(image.id, window, image.crop) for image in images], title)


def _together(changes: list[SetView], title: str) -> Change:
    return Together(tuple(changes), title)
