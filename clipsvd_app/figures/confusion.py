"""The confusion matrix: labels against predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Axis, Cell, Cells, Figure, Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS_ABOVE = 24
"""Where the names of all classes together are longer, columns are numbered and rows say the number."""


def confusion_figure(names: Sequence[str], counts: Sequence[Sequence[int]], *, opens: bool = False) -> Figure:
    """Return ``counts[label][prediction]`` with shares of each row; ``opens``: a cell has cases behind it."""
    assert [len(row) for row in counts] == [len(names)] * len(names)
    cells = tuple(
        _cell(names, counts, (label, predicted), opens=opens)
        for label in range(len(names))
        for predicted in range(len(names))
    )
    numbered = len("".join(names)) > _LETTERS_ABOVE
    rows = [f"{place + 1}  {name}" if numbered else name for place, name in enumerate(names)]
    columns = [str(place + 1) if numbered else name for place, name in enumerate(names)]
    said = "; ".join(cell.said for cell in cells if not cell.said.startswith("0 "))
    panel = Panel(
        Axis("Predicted", -0.5, len(names) - 0.5, _ticks(columns), grid=False),
        Axis("Label", len(names) - 0.5, -0.5, _ticks(rows), grid=False),
        (Cells(cells),),
        rows=2 * len(names) + 1,
    )
    table = (("label", *names), *((name, *map(str, row)) for name, row in zip(names, counts, strict=True)))
    return Figure("Confusion matrix", said, (panel,) if names else (), table)


def _cell(
    names: Sequence[str], counts: Sequence[Sequence[int]], key: tuple[int, int], *, opens: bool
) -> Cell:
    label, predicted = key
    number, total = counts[label][predicted], sum(counts[label])
    share = number / total if total else 0.0
    said = (
        f"{counted(number, 'image')} labelled “{names[label]}” predicted “{names[predicted]}” "
        f"({percent(share)} of its row)"
    )
    return Cell(predicted, label, share, said, key if opens else None, f"{number:,}\n{percent(share)}")


def _ticks(names: Sequence[str]) -> tuple[tuple[float, str], ...]:
    return tuple((float(place), name) for place, name in enumerate(names))
