"""The coordinates a phantom is drawn in, and the few curves everything is made of.

Anatomical coordinates: x grows to the image's right (the patient's left), y grows downwards, and the film
reaches from -1 to 1 in both; one unit is about 200 mm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

if TYPE_CHECKING:
    from collections.abc import Sequence

Field: TypeAlias = npt.NDArray[np.floating[Any]]
Line: TypeAlias = npt.NDArray[np.float64]
Window: TypeAlias = tuple[slice, slice]

_REACH = 1.7
_STEPS = 4096


@dataclass(frozen=True, slots=True)
class Pose:
    """How the patient stands before the detector: degrees of tilt, magnification and offsets in units."""

    tilt_deg: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def to_film(self, points: Line) -> Line:
        """Map anatomical points (n, 2) to film coordinates, where the picture spans -1 to 1."""
        turn = math.radians(self.tilt_deg)
        x, y = points[:, 0] * self.scale, points[:, 1] * self.scale
        film_x = x * math.cos(turn) - y * math.sin(turn) + self.shift_x
        film_y = x * math.sin(turn) + y * math.cos(turn) + self.shift_y
        return np.stack([film_x, film_y], axis=1)


@dataclass(frozen=True, slots=True)
class Frame:
    """The anatomical coordinates of every pixel, (size, size) each, for one pose."""

    pose: Pose
    size: int
    x: Field
    y: Field
    y_index: npt.NDArray[np.int32]


def make_frame(pose: Pose, size: int) -> Frame:
    """Lay the coordinate grids of a square film of ``size`` pixels."""
    ticks = (np.arange(size, dtype=np.float32) + 0.5) * (2.0 / size) - 1.0
    film_x = (ticks - pose.shift_x)[None, :] / pose.scale
    film_y = (ticks - pose.shift_y)[:, None] / pose.scale
    turn = math.radians(pose.tilt_deg)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    x = (film_x * cos + film_y * sin).astype(np.float32)
    y = (film_y * cos - film_x * sin).astype(np.float32)
    return Frame(pose, size, x, y, table_index(y))


def crop(frame: Frame, low: tuple[float, float], high: tuple[float, float]) -> tuple[Window, Frame]:
    """Return the part of the film that covers a box in anatomical coordinates, and the frame of that part.

    What is small is drawn there and added to ``field[window]``; ``size`` stays that of the whole film.
    """
    corners = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])])
    pixels = np.clip((frame.pose.to_film(corners) + 1.0) * (frame.size / 2), 0, frame.size)
    first, last = np.floor(pixels.min(axis=0)).astype(int), np.ceil(pixels.max(axis=0)).astype(int)
    window = (slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0])))
    return window, Frame(frame.pose, frame.size, frame.x[window], frame.y[window], frame.y_index[window])


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of one coordinate, tabulated over the whole film so that a field is one look-up."""

    values: Field

    def __call__(self, index: npt.NDArray[np.int32]) -> Field:
        """Return the curve at tabulated positions (see ``table_index``)."""
        return self.values[index]

    def at(self, position: npt.ArrayLike) -> Line:
        """Return the curve at coordinates of any shape."""
        return np.interp(np.asarray(position, dtype=np.float64), curve_positions(), self.values)

    def slope(self) -> Curve:
        """Return the derivative as a curve."""
        return Curve(np.gradient(self.values, curve_positions()).astype(np.float32))


@lru_cache(maxsize=1)
def curve_positions() -> Line:
    """Return the coordinates at which curves are tabulated."""
    positions = np.linspace(-_REACH, _REACH, _STEPS)
    positions.flags.writeable = False  # one array for everybody
    return positions


def table_index(position: Field) -> npt.NDArray[np.int32]:
    """Return the table position nearest to each coordinate."""
    raw = (position + _REACH) * ((_STEPS - 1) / (2 * _REACH)) + 0.5
    index: npt.NDArray[np.int32] = np.clip(raw, 0, _STEPS - 1).astype(np.int32)
    return index


def smooth_curve(knots: Sequence[tuple[float, float]]) -> Curve:
    """Join (position, value) knots monotonically between each two, constant outside them."""
    at, values = np.array(knots, dtype=np.float64).T
    inside = np.clip(curve_positions(), at[0], at[-1])
    joined = np.clip(PchipInterpolator(at, values)(inside), values.min(), values.max())
    return Curve(joined.astype(np.float32))


def quarter_round(t: Field) -> Field:
    """Rise from 0 at t = 0 to 1 at t = 1 as a quarter circle: the path length just inside a round body."""
    clipped = np.clip(t, 0.0, 1.0)
    return np.sqrt(clipped * (2.0 - clipped))


def soft_step(t: Field) -> Field:
    """Rise smoothly from 0 at t = -1 to 1 at t = 1 (smoothstep)."""
    clipped = np.clip(0.5 * t + 0.5, 0.0, 1.0)
    step: Field = clipped * clipped * (3.0 - 2.0 * clipped)
    return step


def add_ball(
    field: Field,
    frame: Frame,
    centre: tuple[float, float],
    radii: tuple[float, float],
    strength: float,
    *,
    flatness: float = 1.0,
) -> None:
    """Add the path length through an ellipsoid: ``strength`` at its centre, 0 at its rim.

    A flatness over 1 gives a disc with a rounded edge instead.
    """
    window, inside = _ellipse(frame, centre, radii)
    field[window] += np.minimum(np.sqrt(inside) * np.float32(flatness), 1.0) * np.float32(strength)


def add_dome(
    field: Field, frame: Frame, centre: tuple[float, float], radii: tuple[float, float], strength: float
) -> None:
    """Add a mound without a visible rim: ``strength`` at its centre, fading to 0 at its radii."""
    window, inside = _ellipse(frame, centre, radii)
    field[window] += inside * np.float32(strength)


def _ellipse(frame: Frame, centre: tuple[float, float], radii: tuple[float, float]) -> tuple[Window, Field]:
    """Return 1 minus the squared distance from the centre in radii, never below 0, and where it lies."""
    low = (centre[0] - radii[0], centre[1] - radii[1])
    window, part = crop(frame, low, (centre[0] + radii[0], centre[1] + radii[1]))
    dx = (part.x - np.float32(centre[0])) / np.float32(radii[0])
    dy = (part.y - np.float32(centre[1])) / np.float32(radii[1])
    return window, np.maximum(1.0 - dx * dx - dy * dy, 0.0)
