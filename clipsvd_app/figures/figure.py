"""A figure as data: panels with axes, what is drawn in them, what it says under the mouse, and its table."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Ink = str
"""A role of the theme, “class N” or “series N” (N from 0)."""
Rows = tuple[tuple[str, ...], ...]
Ticks = tuple[tuple[float, str], ...]
Area = tuple[float, float, float, float]
"""Left, right, low and high in the units of the axes; an infinite side reaches the edge of the panel."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high`` (turned over where low is the larger), its unit in the label.

    ``ticks``: value and text of each; None leaves round numbers to the renderer.
    """

    label: str
    low: float
    high: float
    ticks: Ticks | None = None
    grid: bool = True


@dataclass(frozen=True, slots=True)
class Spot:
    """A value in a panel: what it says under the mouse, what it stands for, and its interval, if it has one.

    ``area`` is what answers the mouse; without one, the surroundings of the point do.
    """

    x: float
    y: float
    said: str = ""
    key: Hashable = None
    low: float = math.nan
    high: float = math.nan
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through spots, cut where a y is not a number; intervals stand upright, or lie ``across``."""

    spots: tuple[Spot, ...]
    ink: Ink
    name: str = ""
    line: Literal["solid", "dashed", "thin", "none"] = "solid"
    dots: bool = False
    across: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle, hollow where it may not be relied on."""

    area: Area
    ink: Ink
    said: str = ""
    key: Hashable = None
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Rectangles; ``by_row``: a bar answers the mouse over the whole width of its row."""

    bars: tuple[Bar, ...]
    name: str = ""
    by_row: bool = False

    @property
    def ink(self) -> Ink:
        """The colour beside its name."""
        return self.bars[0].ink

    @property
    def spots(self) -> tuple[Spot, ...]:
        """What answers the mouse."""
        return tuple(_bar_spot(bar, by_row=self.by_row) for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Cell:
    """A square of one unit around a column and a row, fuller with its ``share`` (0 to 1)."""

    column: float
    row: float
    share: float
    said: str
    key: Hashable = None
    text: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Cells:
    """A matrix of squares."""

    cells: tuple[Cell, ...]
    name: str = ""

    @property
    def spots(self) -> tuple[Spot, ...]:
        """What answers the mouse."""
        return tuple(_cell_spot(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Dots:
    """Single cases of one ink, hollow or full, with a ring around those that are ``ringed``."""

    spots: tuple[Spot, ...]
    ink: Ink
    name: str = ""
    hollow: bool = False
    ringed: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A dashed line of reference: ``upright`` at an x, level at a y, or (None) along the diagonal."""

    at: float | None
    ink: Ink
    name: str = ""
    upright: bool = False
    between: tuple[float, float] | None = None
    spots: tuple[Spot, ...] = ()


Mark = Curve | Bars | Cells | Dots | Rule


@dataclass(frozen=True, slots=True)
class Panel:
    """Two axes and what is drawn between them.

    ``right``: texts at the right edge. ``rows``: how many lines of text stand beside it, for its height.
    ``share``: its part of the figure's height or width. ``legend``: a corner for print, else above the panel.
    """

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    right: Ticks = ()
    rows: int = 0
    share: int = 1
    legend: str = ""
    square: bool = False

    @property
    def spots(self) -> tuple[Spot, ...]:
        """What answers the mouse, in the order of drawing."""
        return tuple(spot for mark in self.marks for spot in mark.spots if spot.said)


@dataclass(frozen=True, slots=True)
class Figure:
    """Panels, one below the other or ``beside`` each other, and the numbers behind them, header first."""

    title: str
    description: str
    panels: tuple[Panel, ...]
    table: Rows
    beside: bool = False


NO_FIGURE = Figure("", "", (), ())


def percent_axis(label: str, *, high: float = 100.0) -> Axis:
    """Return an axis of percent from 0."""
    return Axis(f"{label} (%)", 0.0, high)


def row_axis(names: Iterable[str]) -> Axis:
    """Return an axis of named rows, the first on top."""
    ticks = tuple((float(row), name) for row, name in enumerate(names))
    return Axis("", len(ticks) - 0.5, -0.5, ticks, grid=False)


def _bar_spot(bar: Bar, *, by_row: bool) -> Spot:
    left, right, low, high = bar.area
    area = (-math.inf, math.inf, low, high) if by_row else bar.area
    return Spot((left + right) / 2, (low + high) / 2, bar.said, bar.key, area=area)


def _cell_spot(cell: Cell) -> Spot:
    area = (cell.column - 0.5, cell.column + 0.5, cell.row - 0.5, cell.row + 0.5)
    return Spot(cell.column, cell.row, cell.said, cell.key, area=area)
