"""Deletion curves, the control of a heat map: the margin while more and more of the image is masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Axis, Curve, Figure, Panel, Spot, percent_axis

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import CaseMap, DeletionCurve


def deletion_figure(found: CaseMap | None) -> Figure:
    """Return the curve in the map's order over random orders and the order from the centre outwards."""
    title, header = "Deletion curve", ("order", "share_hidden", "margin")
    if found is None:
        return Figure(title, "", (), (header,))
    random = [(f"random {number + 1}", curve) for number, curve in enumerate(found.random)]
    curves = [("map", found.deletion), ("centre", found.centre), *random]
    margins = [margin for _, curve in curves for margin in curve.margins]
    pad = (max(margins) - min(margins)) * 0.06 or 0.5
    marks = (
        *(Curve(_spots(curve), "text_faint", "random order", "thin") for _, curve in random),
        Curve(_spots(found.centre), "warning", "centre first", "dashed"),
        Curve(_spots(found.deletion, said=True), "accent", "this map"),
    )
    axis = Axis("Margin (logits)", min(margins) - pad, max(margins) + pad)
    table = (
        (name, repr(share), repr(margin))
        for name, curve in curves
        for share, margin in zip(curve.shares, curve.margins, strict=True)
    )
    said = "; ".join(f"{name}: mean margin {curve.area:+.3f}" for name, curve in curves)
    return Figure(title, said, (Panel(percent_axis("Image masked"), axis, marks),), (header, *table))


def _spots(curve: DeletionCurve, *, said: bool = False) -> tuple[Spot, ...]:
    return tuple(
        Spot(100 * share, margin, f"{percent(share)} masked: margin {margin:+.2f}" if said else "")
        for share, margin in zip(curve.shares, curve.margins, strict=True)
    )
