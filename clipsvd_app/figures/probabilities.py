"""What the adapted model and the unadapted one predict for one image, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Axis, Bar, Bars, Figure, Panel, row_axis

if TYPE_CHECKING:
    from collections.abc import Sequence


def probabilities_figure(
    names: Sequence[str],
    adapted: Sequence[float],
    zero_shot: Sequence[float],
    label: int | None = None,
    *,
    calibrated: bool = False,
) -> Figure:
    """Return two bars a class, after adaptation over before; ``label`` is the class that a person gave."""
    after = "calibrated" if calibrated else "adapted"
    said = [
        f"{name}: {percent(new)} {after}, {percent(old)} zero-shot"
        + (", the label" if place == label else "")
        for place, (name, new, old) in enumerate(zip(names, adapted, zero_shot, strict=True))
    ]
    thick = tuple(
        Bar((0.0, 100 * share, row - 0.3, row + 0.1), f"class {row}", said[row])
        for row, share in enumerate(adapted)
    )
    thin = tuple(
        Bar((0.0, 100 * share, row + 0.16, row + 0.32), "text_faint") for row, share in enumerate(zero_shot)
    )
    table = (
        ("class", after, "zero_shot"),
        *((name, repr(new), repr(old)) for name, new, old in zip(names, adapted, zero_shot, strict=True)),
    )
    panels: tuple[Panel, ...] = ()
    if names:
        values = tuple(
            (float(row), f"{percent(new)} · {percent(old)}")
            for row, (new, old) in enumerate(zip(adapted, zero_shot, strict=True))
        )
        rows = row_axis(name + (" ✓" if place == label else "") for place, name in enumerate(names))
        marks = (Bars(thick, after, by_row=True), Bars(thin, "zero-shot"))
        panels = (Panel(Axis("", 0.0, 100.0, (), grid=False), rows, marks, right=values, rows=len(names)),)
    return Figure("Class probabilities", "; ".join(said), panels, table)
