"""Methods side by side: balanced accuracy with its interval on one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent, percent_with_interval
from clipsvd_app.figures.figure import Curve, Figure, Panel, Rule, Spot, percent_axis, row_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import MethodScore

_HEADER = (
    *("method", "balanced_accuracy", "interval_low", "interval_high"),
    *("accuracy", "macro_auroc", "trainable_parameters", "seconds"),
)


def methods_figure(methods: Sequence[MethodScore], titles: Sequence[str] = ()) -> Figure:
    """Return a row a method, scored on the same images; ``titles`` name the rows where methods repeat."""
    names = tuple(titles) or tuple(METHOD_TITLES[score.method] for score in methods)
    marks: list[Curve | Rule] = []
    if methods and methods[0].classes:
        chance = 1 / len(methods[0].classes)
        marks.append(Rule(100 * chance, "warning", f"chance ({percent(chance)})", upright=True))
    for row, (name, score) in enumerate(zip(names, methods, strict=True)):
        spot = Spot(
            *(100 * score.balanced_accuracy, float(row), method_said(name, score)),
            low=100 * score.interval.low,
            high=100 * score.interval.high,
        )
        ink = "accent" if score.method == "clip_svd" else "text_muted"
        marks.append(Curve((spot,), ink, line="none", dots=True, across=True))
    values = tuple(
        (float(row), percent_with_interval(score.balanced_accuracy, score.interval))
        for row, score in enumerate(methods)
    )
    said = "; ".join(
        f"{name}: balanced accuracy {value}" for name, (_, value) in zip(names, values, strict=True)
    )
    axis = percent_axis("Balanced accuracy, 95 % CI")
    panel = Panel(axis, row_axis(names), tuple(marks), right=values, rows=len(methods))
    table = tuple(_row(name, score) for name, score in zip(names, methods, strict=True))
    return Figure("Methods compared", said, (panel,) if methods else (), (_HEADER, *table))


def method_said(name: str, score: MethodScore) -> str:
    """Return every class's sensitivity and specificity, and the proper scores, of one method."""
    lines = [
        f"{each.name}: sensitivity {percent_with_interval(each.sensitivity, each.sensitivity_interval)}, "
        f"specificity {percent_with_interval(each.specificity, each.specificity_interval)}, "
        f"{counted(each.images, 'image')}"
        for each in score.classes
    ]
    scores = f"Brier score {score.brier:.3f}, negative log-likelihood {score.negative_log_likelihood:.3f}"
    return "\n".join((name, *lines, scores))


def _row(name: str, score: MethodScore) -> tuple[str, ...]:
    return (
        *(name, repr(score.balanced_accuracy), repr(score.interval.low), repr(score.interval.high)),
        *(repr(score.accuracy), "" if score.macro_auroc is None else repr(score.macro_auroc)),
        *(str(score.trainable_parameters), repr(score.seconds)),
    )
