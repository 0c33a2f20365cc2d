"""What the viewer is told to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.domain.measures import Measure
from clipsvd_app.domain.project_values import Mark
from clipsvd_app.domain.view import Crop, Percentiles, Window
from clipsvd_app.imaging.display.greys import greys_of
from clipsvd_app.imaging.display.windows import IDENTITY_8_BIT, window_from
from clipsvd_app.imaging.values import UNLIMITED, ScaleLimits, VoiLut

LayoutName = Literal["1", "2", "4", "mpr"]
Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindowPreset:
    """A named window, of its own or to be taken from the pixels."""

    name: str
    window: Window | Percentiles


@dataclass(frozen=True, slots=True)
class Corners:
    """Lines of text in the four corners; the caller decides what may be shown. caution: at the top right."""

    top_left: Lines = ()
    top_right: Lines = ()
    bottom_left: Lines = ()
    bottom_right: Lines = ()
    caution: Lines = ()


@dataclass(frozen=True, slots=True)
class ClassBadge:
    """The class of the shown image: position from 0, and whether it is only predicted."""

    position: int
    name: str
    predicted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FrameState:
    """One frame and all that is drawn with it.

    pixels: (rows, columns) of any real type, shown through ``window``, or (rows, columns, 3) uint8 RGB.
    window: None shows the pixels as greys from 0 to 255. file_window: the one that the file asks for.
    tables: the file's own tables of greys, each shown in place of the window that stands for it.
    padding: shown black.
    training_window: the one that training was told to use, None for the file's.
    spacing_mm: (row, column) distance of pixel centres. limits: where in the picture that is true.
    mark: whether the image is uncertain or left out.
    index, count: place in the stack that the slice bar scrolls through.
    series_key: zoom and orientation are kept from frame to frame of one series. window_key: the user's window
    is kept among frames of one such key, in the planes of a series and out of them; "" stands for series_key.
    picture_key: measures drawn on a picture come back with it. measures: those that are kept with the image,
    None where they are on the screen only.
    crop: what training sees; None for the whole frame.
    edges: the patient's side at left, top, right and bottom.
    derived: whether the pixels are not those of the file, so that places in them mean nothing to training.
    cross: (column, row) where the other planes of a volume cut this one.
    """

    image_id: int
    pixels: NDArray[Any]
    window: Window | None = None
    file_window: Window | None = None
    training_window: Window | None = None
    tables: tuple[tuple[Window, VoiLut], ...] = ()
    padding: float | None = None
    inverted: bool = False
    presets: tuple[WindowPreset, ...] = ()
    spacing_mm: tuple[float, float] | None = None
    limits: ScaleLimits = UNLIMITED
    units: str = ""
    corners: Corners = Corners()
    badge: ClassBadge | None = None
    mark: Mark = ""
    index: int = 0
    count: int = 1
    series_key: str = ""
    window_key: str = ""
    picture_key: str = ""
    crop: Crop | None = None
    edges: tuple[str, str, str, str] | None = None
    measures: tuple[Measure, ...] | None = None
    derived: bool = False
    cross: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        assert self.pixels.ndim == 2 or (self.pixels.ndim == 3 and self.pixels.shape[2] == 3)
        assert 0 <= self.index < self.count

    @property
    def key(self) -> str:
        """What measures of this picture are kept under."""
        return self.picture_key or str(self.image_id)

    @property
    def windowed_with(self) -> str:
        """What the user's window is kept for."""
        return self.window_key or self.series_key

    @property
    def is_colour(self) -> bool:
        """Whether the pixels are RGB, which no window applies to."""
        return self.pixels.ndim == 3

    def greys(self, pixels: NDArray[Any], window: Window | None, *, inverted: bool) -> NDArray[np.uint8]:
        """Map pixels to what is seen of them, as training does in the same window."""
        if self.is_colour:
            return 255 - pixels if inverted else pixels
        table = None if window is None else dict(self.tables).get(window)
        return greys_of(pixels, window or IDENTITY_8_BIT, table, inverted=inverted, padding=self.padding)

    def window_of(self, preset: WindowPreset) -> Window:
        """Return the window of a preset, taken from the pixels if it is one of those."""
        if isinstance(preset.window, Window):
            return preset.window
        return window_from(self.pixels, self.padding, preset.window)

    def value_text(self, row: int, column: int) -> str:
        """Return the value under the pointer with its unit."""
        value = self.pixels[row, column]
        if self.is_colour and len(set(value.tolist())) == 1:
            return f"grey {int(value[0])}"
        if self.is_colour:
            return "RGB " + " ".join(str(int(part)) for part in value)
        number = float(value)
        shown = f"{number:.0f}" if np.isfinite(number) and number == round(number) else f"{number:.2f}"
        return f"{shown} {self.units}".strip()
