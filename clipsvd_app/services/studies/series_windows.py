"""The window shared by a series' slices where their headers give none, found when they are added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from clipsvd_app.domain.project_values import NewImage
    from clipsvd_app.domain.view import Window
    from clipsvd_app.project import Project


def windows_of(
    project: Project,
    images: Sequence[NewImage],
    report: Callable[[int, int], None] | None = None,
    given: Container[Path] = (),
) -> dict[str, Window | None]:
    """Return the window of each series, by its key, that new images belong to.

    None stands for series of one image and for those whose files give their windows.
    given: files that are known to give the windows of their frames.
    report: called with (slices read, slices to read) of each series; raises Cancelled to stop.
    Safe to call from a thread.
    """
    from clipsvd_app.imaging.series.window import series_window

    slices: dict[str, list[tuple[float, Path, int]]] = {}
    for image in images:
        slices.setdefault(image.series_key, []).append((image.position, Path(image.path), image.frame))
    for key, path, frame, position in project.slices_of_series(slices):
        slices[key].append((position, Path(path), frame))
    return {
        key: series_window([(path, frame) for _, path, frame in sorted(own)], report, given)
        for key, own in slices.items()
    }
