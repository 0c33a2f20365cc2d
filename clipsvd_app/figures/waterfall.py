"""A margin as a waterfall: where it starts, what each part adds, where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.figures.figure import Axis, Bar, Bars, Figure, Mark, Panel, Rule, row_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.contributions import Step

_HEADER = ("step", "kind", "side", "terms", "value", "from", "to")
_SHOWN_FROM = 0.005
"""A residual that would read 0.00 has no bar; the table has it in full."""
_HALF = 0.34


def waterfall_figure(steps: Sequence[Step], answer: str, rival: str) -> Figure:
    """Return a bar a step towards the margin of ``answer`` over ``rival``."""
    shown = [step for step in steps if step.kind != "residual" or abs(step.value) >= _SHOWN_FROM]
    table = (
        (
            *(step.name, step.kind, step.tower or "", str(step.parts)),
            *(repr(step.value), repr(step.start), repr(step.end)),
        )
        for step in steps
    )
    said = "; ".join(f"{step.name} {step.value:+.3f}" for step in shown)
    panels = (_panel(shown, answer, rival),) if shown else ()
    return Figure("Contributions to the margin", said, panels, (_HEADER, *table))


def _panel(shown: Sequence[Step], answer: str, rival: str) -> Panel:
    ends = [0.0, *(end for step in shown for end in (step.start, step.end))]
    pad = (max(ends) - min(ends)) * 0.03 or 0.5
    bars = tuple(
        Bar(
            (*sorted((step.start, step.end)), row - _HALF, row + _HALF),  # type: ignore[arg-type]
            _ink(step),
            _said(step),
            hollow=step.kind == "sum",
        )
        for row, step in enumerate(shown)
    )
    joints = (
        Rule(step.end, "text_faint", upright=True, between=(row + _HALF, row + 1 - _HALF))
        for row, step in enumerate(shown[:-1])
        if shown[row + 1].kind != "total"
    )
    values = tuple(
        (float(row), f"{step.value:+.2f}".replace("-", "\N{MINUS SIGN}")) for row, step in enumerate(shown)
    )
    axis = Axis(f"← “{rival}”   margin (logits)   “{answer}” →", min(ends) - pad, max(ends) + pad)
    marks: tuple[Mark, ...] = (Rule(0.0, "text_faint", upright=True), Bars(bars, by_row=True), *joints)
    return Panel(axis, row_axis(step.name for step in shown), marks, right=values, rows=len(shown))


def _ink(step: Step) -> str:
    if step.kind == "total":
        return "accent"
    if step.kind in ("base", "residual"):
        return "text_faint"
    return "success" if step.value >= 0 else "error"


def _said(step: Step) -> str:
    if step.kind in ("base", "total"):
        return f"{step.name}: margin {step.end:+.3f}"
    terms = f" ({step.parts} terms)" if step.parts > 1 else ""
    return f"{step.name}{terms}: {step.value:+.4f}, from {step.start:+.3f} to {step.end:+.3f}"
