"""ROC curves, one class against the rest, after adaptation and before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Curve, Figure, Ink, Panel, Rule, Spot, percent_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.curves import Roc, RocPair

_HEADER = ("class", "model", "threshold", "false_positive_rate", "sensitivity")


def roc_figure(names: Sequence[str], pairs: Sequence[RocPair], chosen: int | None = None) -> Figure:
    """Return the adapted curve of every class, or both curves of the class at position ``chosen``."""
    shown = [pair for pair in pairs if chosen in (None, pair.adapted.class_position)]
    marks: list[Curve | Rule] = [Rule(None, "text_faint")]
    for pair in shown:
        position = pair.adapted.class_position
        adapted = "CLIP-SVD" if chosen is not None else names[position]
        if chosen is not None:
            marks.append(_curve(names[position], pair.zero_shot, "Zero-shot", "text_muted"))
        marks.append(_curve(names[position], pair.adapted, adapted, f"class {position}"))
    axes = percent_axis("1 − specificity"), percent_axis("Sensitivity")
    panel = Panel(*axes, tuple(marks), legend="lower right", square=True)
    said = "; ".join(
        f"{names[pair.adapted.class_position]}: AUC {pair.adapted.area:.2f}, "
        f"zero-shot {pair.zero_shot.area:.2f}"
        for pair in shown
    )
    table = tuple(
        (
            names[curve.class_position],
            model,
            repr(p.threshold),
            repr(p.false_positive_rate),
            repr(p.sensitivity),
        )
        for pair in shown
        for model, curve in (("adapted", pair.adapted), ("zero_shot", pair.zero_shot))
        for p in curve.points
    )
    return Figure("ROC curves", said, (panel,) if shown else (), (_HEADER, *table))


def _curve(class_name: str, curve: Roc, name: str, ink: Ink) -> Curve:
    spots = tuple(
        Spot(
            100 * point.false_positive_rate,
            100 * point.sensitivity,
            f"“{class_name}” at a threshold of {percent(point.threshold)}: "
            f"sensitivity {percent(point.sensitivity)}, 1 − specificity {percent(point.false_positive_rate)}"
            if place
            else "",
        )
        for place, point in enumerate(curve.points)
    )
    return Curve(spots, ink, f"{name} (AUC {curve.area:.2f})", "dashed" if name == "Zero-shot" else "solid")
