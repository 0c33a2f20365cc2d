"""Figures as print, by matplotlib: SVG, PDF and PNG on white, the same bytes each time.

Only the object interface is used, and inside functions: loading it takes a second, which a start has not.
"""

from __future__ import annotations

import io
import math
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clipsvd_app.figures.figure import Bars, Cells, Curve, Dots, Figure, Mark, Panel, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawn

    from clipsvd_app.figures.figure import Axis, Ink

INKS = {
    "text": "#16191d",
    "text_muted": "#535c66",
    "text_faint": "#8a939c",
    "grid": "#e4e7eb",
    "accent": "#3a57d6",
    "success": "#12744f",
    "warning": "#8a5a00",
    "error": "#b3261e",
}
_SERIES = ("#3a57d6", "#c27c00", "#0a8763", "#b63d72", "#1c82c4", "#8a7a00")
_CLASSES = (
    *("#b87a00", "#1f77b4", "#15795c", "#a84c7e", "#b84a0d"),
    *("#857600", "#3f5fb8", "#6f52a3", "#5d666f"),
)
"""Dark enough for white paper; a class beyond the ninth starts again."""
_MARKERS = "osDh^p8Xv"
_WIDTHS = {"solid": 1.6, "dashed": 1.1, "thin": 0.6, "none": 0.0}
_SETTINGS = {
    "font.size": 8.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "clipsvd",
    "svg.id": "figure",
    "pdf.fonttype": 42,  # journals refuse matplotlib's own Type 3
    "text.parse_math": False,  # a dollar in a class name is a dollar
}
_OTHER_SCRIPTS = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Arial Unicode MS", "Noto Sans")
_NAMELESS = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
_ROW_IN, _PANEL_IN = 0.24, 2.5
DPI = 300


def plotted(figure: Figure, kind: str) -> bytes:
    """Return the figure as ``svg``, ``pdf`` or ``png`` (300 dots an inch)."""
    with drawing(figure, other_scripts=kind != "svg") as drawn:
        buffer = io.BytesIO()
        drawn.savefig(buffer, format=kind, dpi=DPI, metadata=_NAMELESS[kind])
    data = buffer.getvalue()
    return data.replace(b"'DejaVu Sans'", b"'DejaVu Sans', Verdana, sans-serif") if kind == "svg" else data


@contextmanager
def drawing(figure: Figure, *, other_scripts: bool = False) -> Iterator[Drawn]:
    """Draw a figure, to be written before the context ends; ``other_scripts``: in fonts of this computer."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Drawn
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist} if other_scripts else set()
    families = ["DejaVu Sans", *(name for name in _OTHER_SCRIPTS if name in known)]
    with mpl.rc_context({**_SETTINGS, "font.family": families}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a letter that no font has is drawn as a box
        drawn = Drawn(figsize=size_in(figure), layout="constrained")
        if figure.panels:
            _draw_panels(figure, drawn)
        yield drawn


def size_in(figure: Figure) -> tuple[float, float]:
    """Return width and height in inches."""
    if not figure.panels:
        return 2.0, 1.0
    if any(panel.square for panel in figure.panels):
        return 3.6, 3.6
    rows = max(panel.rows for panel in figure.panels)
    stacked = sum(panel.share for panel in figure.panels) if not figure.beside else 1
    tall = rows * _ROW_IN + 0.6 if rows else _PANEL_IN + 0.35 * (stacked - 1)
    wide = 6.6 if rows else 4.4
    if rows and not figure.beside and isinstance(figure.panels[0].marks[0], Cells):
        columns = figure.panels[0].x.high - figure.panels[0].x.low
        wide = min(wide, 1.6 + 0.85 * columns)
    return wide, tall + 0.2


def _draw_panels(figure: Figure, drawn: Drawn) -> None:
    shares = [panel.share for panel in figure.panels]
    many = len(shares)
    if figure.beside:
        grid = drawn.subplots(1, many, squeeze=False, width_ratios=shares)[0]
    else:
        grid = drawn.subplots(many, 1, squeeze=False, height_ratios=shares)[:, 0]
    for axes, panel in zip(grid, figure.panels, strict=True):
        _draw_panel(axes, panel)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    _set_axis(axes.xaxis, axes.set_xlim, panel.x)
    _set_axis(axes.yaxis, axes.set_ylim, panel.y)
    axes.spines["bottom"].set_visible(panel.x.ticks != ())
    axes.spines["left"].set_visible(panel.y.ticks != ())
    if panel.square:
        axes.set_box_aspect(1)
    for mark in panel.marks:
        _draw_mark(axes, mark)
    for y, text in panel.right:
        axes.annotate(
            text, (1, y), (4, 0), ("axes fraction", "data"), textcoords="offset points", va="center"
        )
    _draw_legend(axes, panel)


def _draw_legend(axes: Axes, panel: Panel) -> None:
    named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    if not named:
        return
    look: dict[str, Any] = {"frameon": False, "fontsize": 7.5, "borderaxespad": 0.4}
    shown, names = list(named.values()), list(named)
    if panel.legend:
        axes.legend(shown, names, loc=panel.legend, **look)
    else:
        axes.legend(shown, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(3, len(named)), **look)


def _set_axis(axis: Any, set_limits: Any, wanted: Axis) -> None:  # noqa: ANN401 - XAxis or YAxis
    axis.set_label_text(wanted.label)
    set_limits(wanted.low, wanted.high)
    if wanted.ticks is not None:
        axis.set_ticks([value for value, _ in wanted.ticks], [text for _, text in wanted.ticks])
        if not wanted.grid:
            axis.set_tick_params(length=0)
    if wanted.grid:
        axis.grid(visible=True, color=INKS["grid"], linewidth=0.6)


def _draw_mark(axes: Axes, mark: Mark) -> None:
    match mark:
        case Curve():
            _draw_curve(axes, mark)
        case Bars():
            _draw_bars(axes, mark)
        case Cells():
            _draw_cells(axes, mark)
        case Dots():
            _draw_dots(axes, mark)
        case Rule():
            _draw_rule(axes, mark)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    colour = colour_of(curve.ink)
    xs, ys = [spot.x for spot in curve.spots], [spot.y for spot in curve.spots]
    for spot in curve.spots:
        if not math.isnan(spot.low):
            middle = (spot.y if curve.across else spot.x,) * 2
            ends = (spot.low, spot.high)
            line = (ends, middle) if curve.across else (middle, ends)
            axes.plot(*line, color=colour, linewidth=1.2, marker="|" if curve.across else "_", markersize=4)
    axes.plot(
        xs,
        ys,
        color=colour,
        label=curve.name or "_",
        linestyle={"dashed": "--", "none": "none"}.get(curve.line, "-"),
        linewidth=_WIDTHS[curve.line],
        marker="o" if curve.dots else "none",
        markersize=5.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
        clip_on=False,  # a line along an axis keeps its width
    )


def _draw_bars(axes: Axes, bars: Bars) -> None:
    from matplotlib.patches import Rectangle

    for number, bar in enumerate(bars.bars):
        left, right, low, high = bar.area
        colour = colour_of(bar.ink)
        name = bars.name if number == 0 and bars.name else "_"
        face = "none" if bar.hollow else colour
        place, size = (left, low), (right - left, high - low)
        axes.add_patch(Rectangle(place, *size, label=name, facecolor=face, edgecolor=colour, linewidth=0.6))


def _draw_cells(axes: Axes, cells: Cells) -> None:
    from matplotlib.patches import Rectangle

    if cells.name:
        axes.scatter([], [], marker="s", color=INKS["accent"], label=cells.name)
    for cell in cells.cells:
        ground = tint(cell.share)
        place = (cell.column - 0.48, cell.row - 0.48)
        axes.add_patch(Rectangle(place, 0.96, 0.96, facecolor=ground, edgecolor="none"))
        ink = "white" if _is_dark(tint(cell.share)) else INKS["text"]
        if cell.text:
            axes.text(cell.column, cell.row, cell.text, color=ink, ha="center", va="center")
        if cell.marked:
            axes.plot([cell.column], [cell.row], marker="o", color=ink, markersize=2)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_dots(axes: Axes, dots: Dots) -> None:
    xs, ys = [spot.x for spot in dots.spots], [spot.y for spot in dots.spots]
    colour = colour_of(dots.ink)
    number = class_number(dots.ink)
    marker = _MARKERS[number % len(_MARKERS)] if number is not None else "o"
    face, name = "none" if dots.hollow else colour, dots.name or "_"
    look: dict[str, Any] = {"facecolor": face, "edgecolor": colour, "lw": 0.8}
    axes.scatter(xs, ys, s=22, marker=marker, label="_" if dots.ringed else name, **look)
    if dots.ringed:
        look = {"facecolor": "none", "edgecolor": INKS["error"], "lw": 1.0}
        axes.scatter(xs, ys, s=70, marker="o", label=name, **look)


def _draw_rule(axes: Axes, rule: Rule) -> None:
    look: dict[str, Any] = {"color": colour_of(rule.ink), "linewidth": 0.8, "linestyle": (0, (4, 3))}
    name = rule.name or "_"
    if rule.at is None:
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        axes.plot([left, right], [low, high], label=name, **look)
    elif rule.between is not None:
        ends, middle = rule.between, (rule.at, rule.at)
        axes.plot(*((middle, ends) if rule.upright else (ends, middle)), label=name, **look)
    else:
        (axes.axvline if rule.upright else axes.axhline)(rule.at, label=name, **look)


def colour_of(ink: Ink) -> str:
    """Return the colour of an ink on white."""
    kind, _, number = ink.partition(" ")
    if not number:
        return INKS[ink]
    colours = _CLASSES if kind == "class" else _SERIES
    return colours[int(number) % len(colours)]


def class_number(ink: Ink) -> int | None:
    """Return which class an ink stands for, from 0."""
    kind, _, number = ink.partition(" ")
    return int(number) if kind == "class" else None


def _is_dark(colour: str) -> bool:
    """Tell whether white stands out on a colour better than black does (WCAG 2.2, relative luminance)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    # At 0.179 both have the same contrast of 4.6 : 1.
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) < 0.179


def tint(share: float) -> str:
    """Return a step from white to the accent."""
    keep = 0.06 + 0.9 * min(1.0, max(0.0, share))
    channels = (int(INKS["accent"][place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (channel - 255) * keep):02x}" for channel in channels)
