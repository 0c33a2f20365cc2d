"""Figures of what adaptation changed: one square per matrix or head, darker with its relative change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.services.report.drawing import ACCENT, MUTED, Drawing, Label, Rect, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import HeadChange, MatrixChange, Tower

# In points. The width is that of `figures.py`, just within an A4 page's text width of 493 points after
# scaling; the left margin holds the longest name of a row, “attention output”.
_WIDTH, _LEFT, _GAP, _ROW, _TOP = 500.0, 86.0, 14.0, 13.0, 16.0
_KINDS = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "attention output",
    "fc1": "MLP in",
    "fc2": "MLP out",
}
_TOWERS: tuple[Tower, ...] = ("image", "text")
_Cell = tuple["Tower", int, int, float]


def matrices(changes: Sequence[MatrixChange]) -> Drawing:
    """Draw layers against kinds of matrix, both towers beside each other."""
    kinds = tuple(_KINDS)
    cells = [(m.tower, m.layer, kinds.index(m.kind), m.relative_change) for m in changes]
    return _grid(cells, tuple(_KINDS.values()), "matrix")


def heads(changes: Sequence[HeadChange]) -> Drawing:
    """Draw layers against attention heads, both towers beside each other."""
    cells = [(h.tower, h.layer, h.head, h.relative_change) for h in changes]
    rows = tuple(f"head {number + 1}" for number in range(1 + max(h.head for h in changes)))
    return _grid(cells, rows, "head")


def _grid(cells: Sequence[_Cell], rows: tuple[str, ...], what: str) -> Drawing:
    towers = [tower for tower in _TOWERS if any(cell[0] == tower for cell in cells)]
    largest = max((cell[3] for cell in cells), default=0.0) or 1.0
    each = (_WIDTH - _LEFT - _GAP * (len(towers) - 1)) / len(towers)
    shapes: list[Shape] = []
    for place, title in enumerate(rows):
        shapes.append(Label(_LEFT - 6, _TOP + _ROW * (place + 0.72), title, 8, "end", MUTED))
    bottom = _TOP + _ROW * len(rows)
    for place, tower in enumerate(towers):
        left = _LEFT + place * (each + _GAP)
        own = [cell for cell in cells if cell[0] == tower]
        layers = 1 + max(cell[1] for cell in own)
        width = each / layers
        shapes.append(Label(left, 10, f"{tower.capitalize()} tower", 9, bold=True))
        shapes += [
            Label(left + width * (layer + 0.5), bottom + 10, str(layer + 1), 7, "middle", MUTED)
            for layer in range(layers)
        ]
        for _, layer, row, change in own:
            x, y = left + width * layer, _TOP + _ROW * row
            shapes.append(Rect(x + 0.8, y + 0.8, width - 1.6, _ROW - 1.6, _tint(change / largest)))
    said = f"Relative change by {what}; the strongest is {100 * largest:.2g} %"
    return Drawing(_WIDTH, bottom + 16, tuple(shapes), said)


def _tint(share: float) -> str:
    """Return a step from white to the accent."""
    # Eight per cent for no change at all, so that the square still shows on white.
    keep = 0.08 + 0.92 * share
    channels = (int(ACCENT[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (channel - 255) * keep):02x}" for channel in channels)
