"""Learning: the curves of a training while it runs, and accuracy against the number of labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_TITLES, LearningPoint
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Axis, Curve, Figure, Panel, Rule, Spot, percent_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import MethodName
    from clipsvd_app.domain.results.run import StepMetrics

_SMOOTHING = 0.85
_LEGIBLE = 0.2
"""Numbers nearer than this, in doublings, would touch; the larger one stands."""
_ASIDE = 0.03
"""How far apart the intervals of two methods stand, in doublings."""


def training_figure(points: Sequence[StepMetrics], total_steps: int) -> Figure:
    """Return loss and accuracy over the steps so far; a step that was not finite is a gap.

    Thin lines are single batches, thick ones their running mean.
    """
    header = ("step", "loss", "batch_accuracy", "learning_rate")
    table = ((str(p.step), _cell(p.loss), _cell(p.accuracy), repr(p.learning_rate)) for p in points)
    title = "Loss and accuracy in training"
    if not points:
        return Figure(title, "Curves appear after the first training step.", (), (header,))
    last = max(total_steps, points[-1].step, 1)
    highest = max((p.loss for p in points if p.loss is not None), default=1.0) * 1.08 or 1.0
    loss = _track(points, [p.loss for p in points], "accent", ("single batches", "running mean"))
    accuracy = _track(points, [p.accuracy and 100 * p.accuracy for p in points], "success", ("", ""))
    panels = (
        Panel(Axis("", 0.0, last), Axis("Loss", 0.0, highest), loss),
        Panel(Axis("Training step", 0.0, last), percent_axis("Batch accuracy"), accuracy),
    )
    said = f"Step {points[-1].step} of {last}: {_figures(points[-1])}."
    return Figure(title, said, panels, (header, *table))


def learning_figure(points: Sequence[LearningPoint], classes: int) -> Figure:
    """Return a line a method over the images of each class, the range over draws upright at each point."""
    methods = tuple(dict.fromkeys(point.method for point in points))
    marks: list[Curve | Rule] = [Rule(100 / classes, "text_faint", "chance")] if classes else []
    marks += [_method(points, method, place) for place, method in enumerate(methods)]
    header = ("method", "shots", "balanced_accuracy", "low", "high", "draws")
    table = (
        (p.method, str(p.shots), repr(p.balanced_accuracy), repr(p.low), repr(p.high), str(p.draws))
        for p in points
    )
    panels: tuple[Panel, ...] = ()
    if points:
        known = sorted({point.shots for point in points})
        places = [math.log2(shots) for shots in known]  # as far apart as they differ by a factor
        ticks = tuple(
            (place, str(shots))
            for place, shots, following in zip(places, known, [*places[1:], math.inf], strict=True)
            if following - place > _LEGIBLE
        )
        x = Axis("Images per class", places[0] - 0.25, places[-1] + 0.25, ticks)
        panels = (Panel(x, percent_axis("Balanced accuracy"), tuple(marks), legend="lower right"),)
    said = "; ".join(_said(point) for point in points)
    return Figure("Learning curve", said, panels, (header, *table))


def _track(
    points: Sequence[StepMetrics], values: list[float | None], ink: str, names: tuple[str, str]
) -> tuple[Curve, Curve]:
    said = [f"Step {point.step}: {_figures(point)}" for point in points]
    steps = [float(point.step) for point in points]
    raw = tuple(
        Spot(step, math.nan if value is None else value, "" if value is None else sentence)
        for step, value, sentence in zip(steps, values, said, strict=True)
    )
    smooth = tuple(Spot(step, value) for step, value in zip(steps, _running_mean(values), strict=True))
    return Curve(raw, "text_faint", names[0], "thin"), Curve(smooth, ink, names[1])


def _running_mean(values: list[float | None]) -> list[float]:
    """Exponential running mean of the values that there are, freed of the pull of its start."""
    result: list[float] = []
    total = weight = 0.0
    for value in values:
        if value is None:
            result.append(math.nan)
            continue
        total = _SMOOTHING * total + value
        weight = _SMOOTHING * weight + 1
        result.append(total / weight)
    return result


def _figures(point: StepMetrics) -> str:
    if point.loss is None or point.accuracy is None:
        return "not finite; step skipped"
    return (
        f"loss {point.loss:.3f}, batch accuracy {percent(point.accuracy)}, "
        f"learning rate {point.learning_rate:.3g}"
    )


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _method(points: Sequence[LearningPoint], method: MethodName, place: int) -> Curve:
    own = sorted((point for point in points if point.method == method), key=lambda point: point.shots)
    spots = tuple(
        Spot(
            math.log2(point.shots) + (place - 0.5) * _ASIDE,
            *(100 * point.balanced_accuracy, _said(point)),
            low=100 * point.low,
            high=100 * point.high,
        )
        for point in own
    )
    ink = "accent" if method == "clip_svd" else f"series {1 + place}"
    return Curve(spots, ink, METHOD_TITLES[method], dots=True)


def _said(point: LearningPoint) -> str:
    return (
        f"{METHOD_TITLES[point.method]} with {counted(point.shots, 'image')} per class: "
        f"{percent(point.balanced_accuracy)} ({percent(point.low)} to {percent(point.high)} over "
        f"{counted(point.draws, 'draw')})"
    )
