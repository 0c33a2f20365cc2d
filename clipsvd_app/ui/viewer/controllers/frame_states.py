"""From an image of the project and its pixels to what a pane is told to show."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import letterbox, rgb_of, to_display
from clipsvd_app.imaging.reading import read_header
from clipsvd_app.imaging.values import UNLIMITED
from clipsvd_app.ui.viewer.state import ClassBadge, Corners, FrameState, WindowPreset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.imaging.values import Frame
    from clipsvd_app.ui.session.session import Session

WIDEST_OF_ANATOMY_HU = 2500.0
LEAST_GAP_MM, LARGEST_GAP_MM = 0.01, 1000.0  # beyond lie repeated slices, and stacks of other orientations
WIDE_WINDOW = "The file's window spans almost all values. Press Alt+1 to 9 for an anatomical preset."


def stored_state(image_id: int, frame: Frame) -> FrameState:
    """Return a frame as its file has it, whether or not a project knows it."""
    grey = frame.pixels.ndim == 2
    own = frame.window if grey else None
    return FrameState(
        image_id=image_id,
        pixels=frame.pixels,
        window=own,
        file_window=own,
        tables=frame.tables,
        padding=frame.padding,
        inverted=frame.inverted and grey,
        presets=presets_of(frame),
        spacing_mm=frame.pixel_spacing_mm,
        limits=frame.limits,
        units=frame.units,
        edges=frame.place.edges,
    )


def frame_state(
    session: Session, image: ProjectImage, frame: Frame, stack: Sequence[ProjectImage]
) -> FrameState:
    """Return an image as it is stored, with its place in its series."""
    stored = stored_state(image.id, frame)
    trained = image.window if frame.pixels.ndim == 2 else None
    return replace(
        stored,
        window=trained or stored.file_window,
        training_window=trained,
        corners=_corners(
            session,
            image,
            stack,
            place=_line_of(stack, image, frame),
            caution=_own_caution(session, image, frame),
        ),
        badge=badge_of(session, image),
        mark=image.mark,
        index=place_in(stack, image),
        count=len(stack),
        series_key=str(image.series_id),
        window_key=str(image.series_id),
        crop=image.crop,
        measures=None if (kept := session.measures()) is None else kept.get(image.id, ()),
    )


def model_state(
    session: Session, image: ProjectImage, frame: Frame, stack: Sequence[ProjectImage]
) -> FrameState:
    """Return the picture that training is given: windowed, cut to its region, padded to a square."""
    picture = rgb_of(to_display(frame, image.window, crop=image.crop))
    square = letterbox(picture, max(picture.shape[:2]))
    plain = frame_state(session, image, frame, stack)
    return replace(
        plain,
        pixels=square,
        window=None,
        file_window=None,
        training_window=None,
        tables=(),
        padding=None,
        inverted=False,
        presets=(),
        spacing_mm=None,
        limits=UNLIMITED,
        corners=_corners(
            session,
            image,
            stack,
            _seen_by_training(image, frame, square.shape[0]),
            _line_of(stack, image, frame),
        ),
        series_key=f"model {image.series_id}",
        picture_key=f"model {image.id}",
        crop=None,
        measures=None,
        derived=True,
    )


def _seen_by_training(image: ProjectImage, frame: Frame, side: int) -> tuple[str, ...]:
    """Say in what window, of what part and how turned an image goes into training."""
    return (
        "As used in training",
        _window_line(image, frame),
        _part_line(image),
        f"Stored orientation, padded to {side} × {side}",
    )


def _window_line(image: ProjectImage, frame: Frame) -> str:
    if frame.pixels.ndim == 3 and image.window is None:
        return "Colours as stored"
    if frame.table_of(image.window) is not None:
        return "Grey levels from the file's lookup table"
    window = image.window or frame.window
    return f"Window C {window.centre:.4g}   W {window.width:.4g}, {_whose_window(image, frame)}"


def _whose_window(image: ProjectImage, frame: Frame) -> str:
    if image.window is not None:
        return "chosen by you"
    if not frame.by_pixels:
        return "from the file"
    return "automatic" if image.series_window is None else "automatic, for the whole series"


def _part_line(image: ProjectImage) -> str:
    if image.crop is None:
        return "The whole image"
    crop = image.crop
    left, top = round(crop.x * image.columns), round(crop.y * image.rows)
    size = f"{round(crop.width * image.columns)} × {round(crop.height * image.rows)}"
    return f"Region of {size} px from column {left}, row {top}"


def place_in(stack: Sequence[ProjectImage], image: ProjectImage) -> int:
    """Return where an image stands in its stack; comparing whole images would take a slice's time."""
    return next(place for place, other in enumerate(stack) if other.id == image.id)


def _line_of(stack: Sequence[ProjectImage], image: ProjectImage, frame: Frame) -> tuple[str, ...]:
    return slice_line([other.position for other in stack], place_in(stack, image), frame)


def slice_line(positions: Sequence[float], number: int, frame: Frame) -> tuple[str, ...]:
    """Say which slice of its stack an image is, where it lies, how thick it is, how far the next one is."""
    lies, count = frame.place, len(positions)
    known = lies.along_mm is not None or lies.thickness_mm is not None
    said = [f"{'Slice' if known else 'Image'} {number + 1} of {count}"] if count > 1 else []
    if lies.along_mm is not None:
        said.append(f"{_mm(lies.along_mm)} mm")
    if lies.thickness_mm is not None:
        said.append(f"{_mm(lies.thickness_mm)} mm thick")
    apart = _apart_mm(positions, number, frame)
    if apart is not None and (
        lies.thickness_mm is None or not math.isclose(apart, lies.thickness_mm, rel_tol=0.02)
    ):
        said.append(f"{_mm(apart)} mm apart")
    return (" · ".join(said),) if said else ()


def _apart_mm(positions: Sequence[float], number: int, frame: Frame) -> float | None:
    """Return the distance to the next slice by where the two lie, else what the file says of it."""
    if frame.place.along_mm is not None and len(positions) > 1:
        other = number + 1 if number + 1 < len(positions) else number - 1
        found = abs(positions[other] - positions[number])
        if LEAST_GAP_MM <= found <= LARGEST_GAP_MM:
            return found
    return frame.place.spacing_mm


def _mm(length: float) -> str:
    """Write a length to a tenth of a millimetre, finer where it is small."""
    rounded = round(length, 1 if abs(length) >= 10 else 2)
    return f"{rounded + 0.0:g}".replace("-", "−")


def badge_of(session: Session, image: ProjectImage) -> ClassBadge | None:
    """Return the class of an image."""
    for known in session.classes():
        if known.id == image.class_id:
            return ClassBadge(known.position, known.name)
    return None


def presets_of(frame: Frame) -> tuple[WindowPreset, ...]:
    """Return the windows worth one click."""
    return tuple(WindowPreset(*preset) for preset in frame.presets)


def kind_of(image: ProjectImage) -> tuple[str, ...]:
    """Return modality and body part, as far as they are known."""
    return tuple(part for part in (image.modality, image.body_part.title()) if part)


def caution_of(session: Session, image: ProjectImage) -> tuple[str, ...]:
    """Return what is irregular about the series of an image, in a line."""
    flags = session.series_flags().get(image.series_id, ())
    if not flags:
        return ()
    more = f" And {len(flags) - 1:,} more." if len(flags) > 1 else ""
    return (flags[0].sentence + more,)


def _own_caution(session: Session, image: ProjectImage, frame: Frame) -> tuple[str, ...]:
    """Say what is wrong with the header of a frame, unless that is said of the whole series."""
    from clipsvd_app.imaging.series.checks import faults as fault_flags

    said = {flag.code for flag in session.series_flags().get(image.series_id, ())}
    new = [flag.sentence for flag in fault_flags([frame.faults]) if flag.code.value not in said]
    return (*new[:1], *_wide_window(image, frame))


def _corners(
    session: Session,
    image: ProjectImage,
    stack: Sequence[ProjectImage],
    notes: tuple[str, ...] = (),
    place: tuple[str, ...] = (),
    caution: tuple[str, ...] = (),
) -> Corners:
    size = f"{image.columns} × {image.rows}"
    return Corners(
        top_left=(f"Patient {image.patient_number:03d}", *_identity(session, image), *_file(session, image)),
        top_right=kind_of(image),
        caution=(*caution_of(session, image), *caution),
        bottom_left=(*notes, *place, *(() if notes else (size,))),
    )


def _wide_window(image: ProjectImage, frame: Frame) -> tuple[str, ...]:
    """Say that a CT's own window leaves tissues hard to distinguish, unless another was chosen."""
    wide = frame.units == "HU" and frame.window.width > WIDEST_OF_ANATOMY_HU
    return (WIDE_WINDOW,) if wide and image.window is None else ()


def _file(session: Session, image: ProjectImage) -> tuple[str, ...]:
    """Return the name of the file while the user wants to see it: it may name the patient."""
    return (Path(image.path).name,) if session.settings.show_file_names else ()


def _identity(session: Session, image: ProjectImage) -> tuple[str, ...]:
    """Return name and id from the file while the user wants to see them; never kept."""
    if not session.settings.show_identity:
        return ()
    try:
        header = read_header(Path(image.path))
    except UserError:
        return ()
    return tuple(part for part in (header.patient_name, header.patient_id) if part)
