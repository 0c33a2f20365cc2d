"""Figures as a few shapes, so that one drawing becomes SVG and PDF alike. Lengths in points, y downwards."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

INK, MUTED, GRID, ACCENT, WARNING = "#16191d", "#535c66", "#dde0e5", "#3a57d6", "#8a5a00"
CLASS_COLOURS = (
    "#b87a00",
    "#1f77b4",
    "#15795c",
    "#a84c7e",
    "#b84a0d",
    "#857600",
    "#3f5fb8",
    "#6f52a3",
    "#5d666f",
)
"""Dark enough for white paper; after the ninth class they repeat."""
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline through points."""

    points: tuple[tuple[float, float], ...]
    colour: str = INK
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text whose baseline is at ``y``; ``upright`` reads upwards from there."""

    x: float
    y: float
    text: str
    size: float = 9.0
    anchor: Anchor = "start"
    colour: str = INK
    bold: bool = False
    upright: bool = False


Shape = Line | Rect | Dot | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a white ground; ``description`` is what a screen reader says."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    description: str


def to_svg(drawing: Drawing) -> str:
    """Return the drawing as an inline SVG element without any reference to elsewhere."""
    body = "".join(_svg_of(shape) for shape in drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:g} {drawing.height:g}" '
        f'width="{drawing.width:g}" role="img" aria-label="{escape(drawing.description)}">{body}</svg>'
    )


def _svg_of(shape: Shape) -> str:
    match shape:
        case Line():
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in shape.points)
            dashes = ' stroke-dasharray="3 3"' if shape.dashed else ""
            return (
                f'<polyline points="{points}" fill="none" stroke="{shape.colour}" '
                f'stroke-width="{shape.width:g}"{dashes}/>'
            )
        case Rect():
            return (
                f'<rect x="{shape.x:.2f}" y="{shape.y:.2f}" width="{shape.width:.2f}" '
                f'height="{shape.height:.2f}" fill="{shape.colour}"/>'
            )
        case Dot():
            return (
                f'<circle cx="{shape.x:.2f}" cy="{shape.y:.2f}" r="{shape.radius:g}" fill="{shape.colour}"/>'
            )
        case Label():
            turned = f' transform="rotate(-90 {shape.x:.2f} {shape.y:.2f})"' if shape.upright else ""
            weight = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{shape.x:.2f}" y="{shape.y:.2f}" font-size="{shape.size:g}" fill="{shape.colour}" '
                f'text-anchor="{shape.anchor}"{weight}{turned}>{escape(shape.text)}</text>'
            )
