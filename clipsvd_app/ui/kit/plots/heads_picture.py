"""Where in the model attention heads changed: layers against heads, for both towers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.tower_grid import TOWER_TITLES, GridCell, TowerGrid

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import HeadChange, HeadReading
    from clipsvd_app.ui.kit.plots.plot_widget import Rows

NO_WORDS = "no reliable description"


class HeadsPicture(TowerGrid):
    """A square an attention head; the key of a square is (tower, layer, head)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("head", parent)
        self._heads: tuple[HeadChange, ...] = ()
        self._told = False
        self.setAccessibleName("Relative change of the attention heads")

    def set_heads(self, heads: tuple[HeadChange, ...], *, told: bool) -> None:
        """Show the changes; words only where the run's controls allow it (``told``)."""
        self._heads, self._told = heads, told
        most = max((head.head for head in heads), default=-1) + 1
        self.set_cells(
            tuple(
                GridCell(
                    (head.tower, head.layer, head.head),
                    head.tower,
                    head.layer,
                    head.head,
                    head.relative_change,
                    head_sentence(head),
                    marked=told and head.after is not None and bool(head.after.phrases),
                )
                for head in heads
            ),
            tuple(f"head {number + 1}" for number in range(most)),
        )

    def data_rows(self) -> Rows:
        header = ("tower", "layer", "head", "relative_change")
        read = tuple(f"{state}_{what}" for state in ("before", "after") for what in _COLUMNS)
        return (
            (*header, *read),
            *(
                (
                    head.tower,
                    str(head.layer),
                    str(head.head),
                    repr(head.relative_change),
                    *_columns(head.before, told=self._told),
                    *_columns(head.after, told=self._told),
                )
                for head in self._heads
            ),
        )


def head_name(head: HeadChange) -> str:
    """Return “Image tower, layer 3, head 2”."""
    return f"{TOWER_TITLES[head.tower]}, layer {head.layer + 1}, head {head.head + 1}"


def head_sentence(head: HeadChange) -> str:
    """Say which head it is and how much it changed."""
    return f"{head_name(head)}: changed by {percent(head.relative_change)}"


_COLUMNS = ("phrases", "best", "threshold")


def _columns(reading: HeadReading | None, *, told: bool) -> tuple[str, str, str]:
    if reading is None:
        return "", "", ""
    words = "; ".join(phrase.text for phrase in reading.phrases) if told else ""
    return words or NO_WORDS, repr(reading.best), repr(reading.threshold)
