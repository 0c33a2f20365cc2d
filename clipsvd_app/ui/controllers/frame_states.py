"""From an image of the project and its pixels to what a pane is told to show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app import imaging
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import WindowSpec
from clipsvd_app.ui.viewer.state import ClassBadge, Corners, FrameState, WindowPreset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.imaging import Frame, Window
    from clipsvd_app.ui.session import Session

WIDEST_OF_ANATOMY_HU = 2500.0
WIDE_WINDOW = "The file's window spans nearly all values. Alt + 1 to 9 choose one by anatomy."


def frame_state(
    session: Session, image: ProjectImage, frame: Frame, stack: Sequence[ProjectImage]
) -> FrameState:
    """Return an image as it is stored, with its place in its series."""
    grey = frame.pixels.ndim == 2
    own = window_spec(frame.window) if grey else None
    trained = training_window_of(image) if grey else None
    return FrameState(
        image_id=image.id,
        pixels=frame.pixels,
        window=trained or own,
        file_window=own,
        training_window=trained,
        table=frame.voi_lut if grey else None,
        padding=frame.padding,
        inverted=frame.inverted and grey,
        presets=presets_of(frame),
        spacing_mm=frame.pixel_spacing_mm,
        pixel_aspect=frame.pixel_aspect,
        units=frame.units,
        corners=_corners(session, image, stack, caution=_wide_window(image, own)),
        badge=badge_of(session, image),
        mark=image.mark,
        index=place_in(stack, image),
        count=len(stack),
        series_key=str(image.series_id),
        crop=image.crop,
        measures=None if (kept := session.measures()) is None else kept.get(image.id, ()),
    )


def model_state(
    session: Session, image: ProjectImage, frame: Frame, stack: Sequence[ProjectImage]
) -> FrameState:
    """Return the picture that training is given: windowed, cut to its region, padded to a square."""
    window = None if image.window is None else imaging.Window(*image.window)
    crop = None if image.crop is None else imaging.Crop(*image.crop)
    picture = imaging.rgb_of(imaging.to_display(frame, window, crop=crop))
    rows, columns = picture.shape[:2]
    side = max(rows, columns)
    square = np.zeros((side, side, 3), dtype=np.uint8)
    top, left = (side - rows) // 2, (side - columns) // 2
    square[top : top + rows, left : left + columns] = picture
    plain = frame_state(session, image, frame, stack)
    return replace(
        plain,
        pixels=square,
        window=None,
        file_window=None,
        training_window=None,
        table=None,
        padding=None,
        inverted=False,
        presets=(),
        spacing_mm=None,
        pixel_aspect=1.0,
        corners=_corners(session, image, stack, _seen_by_training(image, frame, square.shape[0])),
        series_key=f"model {image.series_id}",
        picture_key=f"model {image.id}",
        crop=None,
        measures=None,
        derived=True,
    )


def _seen_by_training(image: ProjectImage, frame: Frame, side: int) -> tuple[str, ...]:
    """Say in what window, of what part and how turned an image goes into training."""
    return (
        "As training sees it",
        _window_line(image, frame),
        _part_line(image),
        f"As stored, not turned; padded to {side} × {side}",
    )


def _window_line(image: ProjectImage, frame: Frame) -> str:
    if frame.pixels.ndim == 3 and image.window is None:
        return "Colours as stored"
    if image.window is None and frame.voi_lut is not None:
        return "Greys by the file's own table"
    centre, width = (frame.window.centre, frame.window.width) if image.window is None else image.window[:2]
    whose = "the file's" if image.window is None else "chosen here"
    return f"Window C {centre:.4g}   W {width:.4g}, {whose}"


def _part_line(image: ProjectImage) -> str:
    if image.crop is None:
        return "The whole image"
    x, y, width, height = image.crop
    left, top = round(x * image.columns), round(y * image.rows)
    size = f"{round(width * image.columns)} × {round(height * image.rows)}"
    return f"Region of {size} px from column {left}, row {top}"


def place_in(stack: Sequence[ProjectImage], image: ProjectImage) -> int:
    """Return where an image stands in its stack; comparing whole images would take a slice's time."""
    return next(place for place, other in enumerate(stack) if other.id == image.id)


def badge_of(session: Session, image: ProjectImage) -> ClassBadge | None:
    """Return the class of an image."""
    for known in session.classes():
        if known.id == image.class_id:
            return ClassBadge(known.position, known.name)
    return None


def presets_of(frame: Frame) -> tuple[WindowPreset, ...]:
    """Return the windows worth one click."""
    return tuple(
        WindowPreset(name, window if isinstance(window, imaging.Percentiles) else window_spec(window))
        for name, window in frame.presets
    )


def training_window_of(image: ProjectImage) -> WindowSpec | None:
    """Return the window that training was told to use for an image, None for the file's own."""
    return None if image.window is None else WindowSpec(*image.window)  # type: ignore[arg-type]


def window_spec(window: Window) -> WindowSpec:
    """Return a window as jobs and views write it."""
    return WindowSpec(window.centre, window.width, window.function)  # type: ignore[arg-type]


def kind_of(image: ProjectImage) -> tuple[str, ...]:
    """Return modality and body part, as far as they are known."""
    return tuple(part for part in (image.modality, image.body_part.title()) if part)


def caution_of(session: Session, image: ProjectImage) -> tuple[str, ...]:
    """Return what is irregular about the series of an image, in a line."""
    flags = session.series_flags().get(image.series_id, ())
    if not flags:
        return ()
    more = f" And {len(flags) - 1} more." if len(flags) > 1 else ""
    return (flags[0].sentence + more,)


def _corners(
    session: Session,
    image: ProjectImage,
    stack: Sequence[ProjectImage],
    notes: tuple[str, ...] = (),
    caution: tuple[str, ...] = (),
) -> Corners:
    place = (f"Image {place_in(stack, image) + 1} of {len(stack)}",) if len(stack) > 1 else ()
    size = f"{image.columns} × {image.rows}"
    return Corners(
        top_left=(f"Patient {image.patient_number:03d}", *_identity(session, image)),
        top_right=kind_of(image),
        caution=(*caution_of(session, image), *caution),
        bottom_left=(*notes, *place, *(() if notes else (size,))),
    )


def _wide_window(image: ProjectImage, own: WindowSpec | None) -> tuple[str, ...]:
    """Say that a CT's own window leaves tissues hard to tell apart, unless another was chosen."""
    wide = image.modality == "CT" and own is not None and own.width > WIDEST_OF_ANATOMY_HU
    return (WIDE_WINDOW,) if wide and image.window is None else ()


def _identity(session: Session, image: ProjectImage) -> tuple[str, ...]:
    """Return name and id from the file while the user wants to see them; never kept."""
    if not session.settings.show_identity:
        return ()
    try:
        header = imaging.read_header(Path(image.path))
    except UserError:
        return ()
    return tuple(part for part in (header.patient_name, header.patient_id) if part)
