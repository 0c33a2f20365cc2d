"""Error rate against coverage: what it gains to leave the least certain cases to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Curve, Figure, Panel, Spot, percent_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import CoveragePoint

_TOPS = (0.1, 0.2, 0.4, 0.6, 1.0)
"""Where the axis may end: steps that two runs are likely to share, so that their curves compare."""


def risk_figure(points: Sequence[CoveragePoint]) -> Figure:
    """Return the curve over the most certain share of the images."""
    ranked = sorted(points, key=lambda point: point.coverage)
    spots = tuple(Spot(100 * point.coverage, 100 * point.risk, _said(point)) for point in ranked)
    table = (("coverage", "risk"), *((repr(p.coverage), repr(p.risk)) for p in ranked))
    said = "; ".join(spot.said for spot in spots[:: max(1, len(spots) // 5)])
    panels: tuple[Panel, ...] = ()
    if ranked:
        worst = max(point.risk for point in ranked)
        top = 100 * next(each for each in _TOPS if worst <= each)
        axes = percent_axis("Coverage"), percent_axis("Error rate", high=top)
        panels = (Panel(*axes, (Curve(spots, "accent"),)),)
    return Figure("Error rate by coverage", said, panels, table)


def _said(point: CoveragePoint) -> str:
    return f"Coverage {percent(point.coverage)}: error rate {percent(point.risk)}"
