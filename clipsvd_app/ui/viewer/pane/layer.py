"""From a pane's state to what lies over its picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from clipsvd_app.ui.viewer.pane.corner_layer import LayerState
from clipsvd_app.ui.viewer.pane.shapes import Shape
from clipsvd_app.ui.viewer.tools.geometry import region_of
from clipsvd_app.ui.viewer.tools.measures import MeasureScale, outline_of, region_in, words_for

if TYPE_CHECKING:
    from clipsvd_app.domain.measures import Measure, Point
    from clipsvd_app.domain.view import Window
    from clipsvd_app.ui.viewer.pane.canvas import Canvas
    from clipsvd_app.ui.viewer.pane.drawing_hand import DrawingHand
    from clipsvd_app.ui.viewer.state import Corners, FrameState

Box = tuple[QPointF, ...]
REGION_NOTE = "Training uses the marked region"
WINDOW_NOTE = "Training uses"


def layer_of(
    canvas: Canvas,
    frame: FrameState,
    window: Window | None,
    hand: DrawingHand,
    pointer: QPointF | None,
) -> LayerState:
    """Return everything to draw; ``pointer`` is where the value is read, in viewport coordinates."""
    scale = canvas.scale()
    drawing = hand.drawing
    shapes = [
        _shape(canvas, frame, measure, selected=place == hand.selected)
        for place, measure in enumerate(hand.measures)
    ]
    if drawing is not None:
        cursor = canvas.to_viewport(QPointF(*drawing.loose))
        shapes.append(_shape(canvas, frame, drawing.measure, cursor))
    return LayerState(
        corners=_corners(frame),
        window_text=window_text(window, scale),
        probe_text="" if pointer is None else probe_text(frame, canvas.to_image(pointer)),
        badge=frame.badge,
        mark=frame.mark,
        px_per_mm=scale / frame.spacing_mm[1] if frame.spacing_mm else None,
        scale_plane=frame.limits.plane,
        shapes=tuple(shapes),
        crop=_crop(canvas, frame),
        cross=None if frame.cross is None else canvas.to_viewport(QPointF(*frame.cross)),
        edges=None if frame.edges is None else canvas.edges_seen(frame.edges),
    )


def window_text(window: Window | None, scale: float) -> str:
    """Return centre, width and zoom in one line."""
    zoom = f"{100 * scale:.0f} %"
    return zoom if window is None else f"{_window_words(window)}   {zoom}"


def probe_text(frame: FrameState, at: QPointF) -> str:
    """Return place and value under the pointer, nothing beside the image."""
    rows, columns = frame.pixels.shape[:2]
    if not (0 <= at.x() < columns and 0 <= at.y() < rows):
        return ""
    row, column = int(at.y()), int(at.x())
    return f"x {column}  y {row}   {frame.value_text(row, column)}"


def _corners(frame: FrameState) -> Corners:
    """Return the corner texts, and what training sees other than the file as it is."""
    notes = () if frame.crop is None else (REGION_NOTE,)
    if frame.training_window is not None:
        notes = (*notes, f"{WINDOW_NOTE} {_window_words(frame.training_window)}")
    return replace(frame.corners, bottom_left=(*notes, *frame.corners.bottom_left))


def _window_words(window: Window) -> str:
    return f"C {window.centre:.4g}   W {window.width:.4g}"


def _shape(
    canvas: Canvas,
    frame: FrameState,
    measure: Measure,
    cursor: QPointF | None = None,
    *,
    selected: bool = False,
) -> Shape:
    spacing = frame.limits.spacing_at(_extent(measure), frame.spacing_mm)
    scale = MeasureScale(spacing, frame.limits.aspect, frame.limits.plane)
    words = words_for(measure, frame.pixels, scale, frame.units)
    points = tuple(canvas.to_viewport(QPointF(*point)) for point in measure.points)
    if measure.kind == "region":
        region = region_in(measure, frame.pixels)
        ends = (
            measure.points
            if region is None
            else ((region.left, region.top), (region.left + region.width, region.top + region.height))
        )
        points = _box(canvas, *ends[0], *ends[-1])
    elif measure.kind == "ellipse":
        points = tuple(canvas.to_viewport(QPointF(*point)) for point in outline_of(measure)[0])
    handles = tuple(canvas.to_viewport(QPointF(*point)) for point in measure.points) if selected else ()
    return Shape(measure.kind, points, words, cursor, handles)


def _extent(measure: Measure) -> tuple[Point, ...]:
    """Return the points that a measure covers, with all corners of the box of a region or an ellipse."""
    if measure.kind not in ("region", "ellipse") or len(measure.points) < 2:
        return measure.points
    (left, top), (right, bottom) = measure.points[0], measure.points[-1]
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _crop(canvas: Canvas, frame: FrameState) -> Box:
    rows, columns = frame.pixels.shape[:2]
    region = None if frame.crop is None else region_of(frame.crop, rows, columns)
    if region is None:
        return ()
    return _box(canvas, region.left, region.top, region.left + region.width, region.top + region.height)


def _box(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> Box:
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return tuple(canvas.to_viewport(QPointF(*corner)) for corner in corners)
