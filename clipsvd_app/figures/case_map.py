"""Cases as dots on a map of their features: like lies beside like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.figures.figure import Axis, Dots, Figure, Panel, Spot

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER = ("image", "x", "y", "label", "wrong", "training")


@dataclass(frozen=True, slots=True)
class MapDot:
    """One case: its place in the units of the projection, its label (None: not labelled), what it says.

    ``wrong`` marks a case that the model contradicts, ``training`` one that it learnt from.
    """

    image_id: int
    x: float
    y: float
    label: int | None
    sentence: str
    wrong: bool = False
    training: bool = False


def case_map_figure(names: Sequence[str], dots: Sequence[MapDot]) -> Figure:
    """Return a dot a case: its class by colour and shape, hollow in training, ringed where misclassified."""
    ranked = sorted(dots, key=_order)
    groups = tuple(_group(names, list(own)) for _, own in groupby(ranked, key=_order))
    wrong = sum(dot.wrong for dot in dots)
    table = (
        (
            *(str(dot.image_id), repr(dot.x), repr(dot.y)),
            *("" if dot.label is None else names[dot.label], str(int(dot.wrong)), str(int(dot.training))),
        )
        for dot in ranked
    )
    said = f"{counted(len(dots), 'case')}, {wrong} misclassified."
    panels = (Panel(_axis([d.x for d in dots]), _axis([d.y for d in dots]), groups),) if dots else ()
    return Figure("Map of the cases", said, panels, (_HEADER, *table))


def _order(dot: MapDot) -> tuple[bool, bool, int]:
    """Training images lie lowest, errors on top."""
    return not dot.training, dot.wrong, -1 if dot.label is None else dot.label


def _group(names: Sequence[str], dots: list[MapDot]) -> Dots:
    first = dots[0]
    name = "not labelled" if first.label is None else names[first.label]
    if first.wrong:
        name = "misclassified"
    elif first.training:
        name = f"{name} (training)"
    ink = "text_faint" if first.label is None else f"class {first.label}"
    spots = tuple(Spot(dot.x, dot.y, dot.sentence, dot.image_id) for dot in dots)
    return Dots(spots, ink, name, hollow=first.training or first.label is None, ringed=first.wrong)


def _axis(values: Sequence[float]) -> Axis:
    """Return an axis without figures: a projection has no unit."""
    pad = (max(values) - min(values)) * 0.04 or 0.5
    return Axis("", min(values) - pad, max(values) + pad, (), grid=False)
