"""Calibration: how often the model is right against the probability that it predicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent, percent_with_interval
from clipsvd_app.figures.figure import Axis, Bar, Bars, Curve, Figure, Panel, Rule, Spot, percent_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import ReliabilityBin

_HEADER = ("low", "high", "images", "mean_probability", "right", "interval_low", "interval_high")


def reliability_figure(bins: Sequence[ReliabilityBin]) -> Figure:
    """Return a dot a bin with its 95 % interval, and the number of images in each bin below."""
    said = "; ".join(_said(each) for each in bins)
    table = tuple(
        (
            *(repr(b.low), repr(b.high), str(b.images)),
            *(repr(value) for value in (b.confidence, b.accuracy, b.interval.low, b.interval.high)),
        )
        for b in bins
    )
    panels = (_curve(bins), _counts(bins)) if bins else ()
    return Figure("Reliability", said, panels, (_HEADER, *table))


def _curve(bins: Sequence[ReliabilityBin]) -> Panel:
    spots = tuple(
        Spot(
            *(100 * b.confidence, 100 * b.accuracy, _said(b)),
            low=100 * b.interval.low,
            high=100 * b.interval.high,
            area=(100 * b.low, 100 * b.high, -math.inf, math.inf),
        )
        for b in bins
    )
    marks = (Rule(None, "text_faint"), Curve(spots, "accent", line="thin", dots=True))
    return Panel(Axis("", 0.0, 100.0), percent_axis("Observed frequency"), marks, share=3)


def _counts(bins: Sequence[ReliabilityBin]) -> Panel:
    most = max(b.images for b in bins)
    bars = tuple(
        Bar((100 * b.low + 0.5, 100 * b.high - 0.5, 0.0, float(b.images)), "text_faint", _said(b))
        for b in bins
    )
    count = Axis("Images", 0.0, most * 1.15, ((0.0, "0"), (float(most), f"{most:,}")), grid=False)
    return Panel(percent_axis("Predicted probability"), count, (Bars(bars),))


def _said(each: ReliabilityBin) -> str:
    return (
        f"Predicted probability {percent(each.low)} to {percent(each.high)} "
        f"({counted(each.images, 'image')}): "
        f"observed frequency {percent_with_interval(each.accuracy, each.interval)}"
    )
