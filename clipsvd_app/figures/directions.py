"""The singular directions that changed most: by how much, and how their poles read in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.figures.figure import Axis, Bar, Bars, Figure, Panel, row_axis
from clipsvd_app.figures.towers import KIND_TITLES, NO_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import DirectionChange, MatrixChange, Phrase

_HEADER = (
    *("matrix", "tower", "layer", "direction", "sigma_base", "sigma", "effect"),
    *("positive", "negative", "threshold"),
)


def strongest_first(directions: Sequence[DirectionChange]) -> tuple[DirectionChange, ...]:
    """Return the directions in the order of the figure's rows."""
    return tuple(sorted(directions, key=lambda direction: -direction.effect))


def directions_figure(directions: Sequence[DirectionChange], matrices: Sequence[MatrixChange]) -> Figure:
    """Return a row a direction, its key the place in the order; ``matrices`` say of what kind each is."""
    ranked = strongest_first(directions)
    titles = [direction_title(direction, matrices) for direction in ranked]
    said = [_said(title, direction) for title, direction in zip(titles, ranked, strict=True)]
    bars = tuple(
        Bar((0.0, direction.effect, row - 0.2, row + 0.2), "accent", said[row], row)
        for row, direction in enumerate(ranked)
    )
    panels: tuple[Panel, ...] = ()
    if ranked:
        words = tuple((float(row), _words(direction)) for row, direction in enumerate(ranked))
        axis = Axis("Effect", 0.0, ranked[0].effect or 1.0)
        marks = (Bars(bars, by_row=True),)
        panels = (Panel(axis, row_axis(titles), marks, right=words, rows=len(ranked)),)
    table = (_HEADER, *(_row(direction) for direction in ranked))
    return Figure("Directions that changed most", "; ".join(said), panels, table)


def direction_title(direction: DirectionChange, matrices: Sequence[MatrixChange]) -> str:
    """Return “Image layer 11 · value · 5”."""
    kind = next((KIND_TITLES[each.kind] for each in matrices if each.name == direction.matrix), "")
    where = f"{direction.tower.capitalize()} layer {direction.layer + 1}"
    return " · ".join(part for part in (where, kind, str(direction.index + 1)) if part)


def _words(direction: DirectionChange) -> str:
    poles = [pole[0].text for pole in (direction.positive, direction.negative) if pole]
    return "  ↔  ".join(poles) or NO_WORDS


def _said(title: str, direction: DirectionChange) -> str:
    verb = "strengthened" if direction.sigma > direction.sigma_base else "weakened"
    change = f"{verb}, singular value {direction.sigma_base:.2f} → {direction.sigma:.2f}"
    return f"{title}: {change}, effect {direction.effect:.3g}, {_words(direction)}"


def _row(direction: DirectionChange) -> tuple[str, ...]:
    return (
        *(direction.matrix, direction.tower, str(direction.layer), str(direction.index)),
        *(repr(direction.sigma_base), repr(direction.sigma), repr(direction.effect)),
        *(_phrases(direction.positive), _phrases(direction.negative)),
        "" if direction.threshold is None else repr(direction.threshold),
    )


def _phrases(phrases: Sequence[Phrase]) -> str:
    return "; ".join(f"{phrase.text} ({phrase.score:.3f})" for phrase in phrases)
