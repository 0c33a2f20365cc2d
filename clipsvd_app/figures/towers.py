"""Where in the model weights changed: layers of both towers against kinds of matrix, or attention heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Axis, Cell, Cells, Figure, Panel, row_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import HeadChange, HeadReading, MatrixChange
    from clipsvd_app.domain.towers import Tower

TOWER_TITLES: dict[Tower, str] = {"image": "Image encoder", "text": "Text encoder"}
KIND_TITLES = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "attention output",
    "fc1": "MLP in",
    "fc2": "MLP out",
}
KINDS = tuple(KIND_TITLES)
NO_WORDS = "no reliable description"
_READ = tuple(f"{state}_{what}" for state in ("before", "after") for what in ("phrases", "best", "threshold"))


def matrices_figure(matrices: Sequence[MatrixChange]) -> Figure:
    """Return a square a matrix; the key of each is its name."""
    largest = _largest(matrices)
    cells = [
        (m, Cell(m.layer, KINDS.index(m.kind), m.relative_change / largest, matrix_sentence(m), m.name))
        for m in matrices
    ]
    name = f"full colour: {percent(largest)} change of the matrix"
    panels = _panels(cells, tuple(KIND_TITLES.values()), name)
    header = ("matrix", "tower", "layer", "kind", "relative_change")
    table = ((m.name, m.tower, str(m.layer), m.kind, repr(m.relative_change)) for m in matrices)
    said = _strongest(matrices, [cell.said for _, cell in cells])
    return Figure("Relative change of the weight matrices", said, panels, (header, *table), beside=True)


def heads_figure(heads: Sequence[HeadChange], *, told: bool) -> Figure:
    """Return a square an attention head, its key (tower, layer, head); words only where they are ``told``."""
    largest = _largest(heads)
    cells = [
        (
            h,
            Cell(
                *(h.layer, h.head, h.relative_change / largest, head_sentence(h)),
                key=(h.tower, h.layer, h.head),
                marked=told and h.after is not None and bool(h.after.phrases),
            ),
        )
        for h in heads
    ]
    dots = "; dot: described" if any(cell.marked for _, cell in cells) else ""
    name = f"full colour: {percent(largest)} change of the head{dots}"
    rows = tuple(f"head {number + 1}" for number in range(1 + max((h.head for h in heads), default=-1)))
    header = ("tower", "layer", "head", "relative_change", *_READ)
    table = (
        (
            *(h.tower, str(h.layer), str(h.head), repr(h.relative_change)),
            *_reading(h.before, told=told),
            *_reading(h.after, told=told),
        )
        for h in heads
    )
    said = _strongest(heads, [cell.said for _, cell in cells])
    panels = _panels(cells, rows, name)
    return Figure("Relative change of the attention heads", said, panels, (header, *table), beside=True)


def matrix_sentence(matrix: MatrixChange) -> str:
    """Say which matrix it is and how much it changed."""
    where = f"{TOWER_TITLES[matrix.tower]}, layer {matrix.layer + 1}, {KIND_TITLES[matrix.kind]}"
    return f"{where}: changed by {percent(matrix.relative_change)}"


def head_name(head: HeadChange) -> str:
    """Return “Image tower, layer 3, head 2”."""
    return f"{TOWER_TITLES[head.tower]}, layer {head.layer + 1}, head {head.head + 1}"


def head_sentence(head: HeadChange) -> str:
    """Say which head it is and how much it changed."""
    return f"{head_name(head)}: changed by {percent(head.relative_change)}"


def _panels(
    cells: Sequence[tuple[MatrixChange | HeadChange, Cell]], rows: tuple[str, ...], name: str
) -> tuple[Panel, ...]:
    """Return a panel a tower, side by side; the rows are named once."""
    panels: list[Panel] = []
    for tower, title in TOWER_TITLES.items():
        own = tuple(cell for change, cell in cells if change.tower == tower)
        if not own:
            continue
        layers = 1 + int(max(cell.column for cell in own))
        every = 1 + layers // 13  # so that the numbers of 24 layers do not touch
        ticks = tuple((float(layer), str(layer + 1)) for layer in range(0, layers, every))
        x = Axis(f"{title}, layer", -0.5, layers - 0.5, ticks, grid=False)
        y = row_axis(rows if not panels else [""] * len(rows))
        panels.append(Panel(x, y, (Cells(own, "" if panels else name),), rows=len(rows), share=layers))
    return tuple(panels)


def _largest(changes: Sequence[MatrixChange] | Sequence[HeadChange]) -> float:
    return max((change.relative_change for change in changes), default=0.0) or 1.0


def _strongest(changes: Sequence[MatrixChange] | Sequence[HeadChange], sentences: list[str]) -> str:
    ranked = sorted(range(len(changes)), key=lambda place: -changes[place].relative_change)
    return "Changed most: " + "; ".join(sentences[place] for place in ranked[:3]) if ranked else ""


def _reading(reading: HeadReading | None, *, told: bool) -> tuple[str, str, str]:
    if reading is None:
        return "", "", ""
    words = "; ".join(phrase.text for phrase in reading.phrases) if told else ""
    return words or NO_WORDS, repr(reading.best), repr(reading.threshold)
