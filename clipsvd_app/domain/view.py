"""How a frame is seen: its display window, and the part of it that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from clipsvd_app.domain.records import Record

WindowFunction: TypeAlias = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


class Window(Record):
    """A value-of-interest window (DICOM PS3.3 C.11.2.1.2), in the units of the pixels it is applied to.

    function: LINEAR (width >= 1), LINEAR_EXACT or SIGMOID (width > 0).
    """

    centre: float
    width: float
    function: WindowFunction = "LINEAR"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A window to be computed from pixels, from one percentile to another. from_zero: 0 is black."""

    low: float
    high: float
    from_zero: bool = False


class Crop(Record):
    """A region of interest as fractions 0-1 of the frame, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        # Crops are read from files too, so that a wrong one is bad input rather than a mistake of ours.
        edge = 1.0 + 1e-6
        inside = min(self.x, self.y) >= 0 and max(self.x + self.width, self.y + self.height) <= edge
        if not (inside and min(self.width, self.height) > 0):
            raise ValueError(f"a crop has an area and lies inside the frame: {self}")
