"""What the list of recent projects shows of each: read in a thread, without opening or locking any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.errors import UserError, file_errors
from clipsvd_app.project import glance_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.project_values import ProjectImage

GONE = "Not found: moved, renamed, deleted, or on a drive that is not connected"
_MARGIN = 0.2
"""Burned-in text, such as a name, is along an image's margins: this share of each side is not shown."""


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project of the list. fault: why it cannot be opened now, "" where it can.

    pictures: (side, side, 3) uint8, of its first series. They are shown and kept nowhere.
    """

    path: str
    images: int = 0
    classes: int = 0
    fault: str = ""
    pictures: tuple[NDArray[np.uint8], ...] = ()


def look_at(path: str, side_px: int, check: Callable[[], None] = lambda: None) -> RecentProject:
    """Return what the list shows of a project, without images that cannot be read now."""
    try:
        with file_errors(Path(path)):
            found = glance_at(Path(path))
    except UserError as error:
        gone = error.code == "project_missing"
        return RecentProject(path, fault=GONE if gone else error.message)
    pictures = []
    for image in found.shown:
        check()
        picture = _picture(image, side_px)
        if picture is not None:
            pictures.append(picture)
    return RecentProject(path, found.images, found.classes, "", tuple(pictures))


def _picture(image: ProjectImage, side_px: int) -> NDArray[np.uint8] | None:
    """Return the middle of an image as a square, without the margins where it may show text."""
    from clipsvd_app.imaging.files.known_hashes import require_content
    from clipsvd_app.imaging.thumbnails import thumbnail

    try:
        require_content(Path(image.path), image.sha256)
        small = thumbnail(Path(image.path), image.frame, side_px, series_window=image.series_window)
    except UserError:
        return None
    rows, columns = small.shape[:2]
    side = round(min(rows, columns) * (1 - 2 * _MARGIN if image.burned_in_text else 1))
    top, left = (rows - side) // 2, (columns - side) // 2
    return small[top : top + side, left : left + side]
