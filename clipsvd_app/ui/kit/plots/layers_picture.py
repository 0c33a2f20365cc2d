"""Where in the model the adaptation moved weights: layers against kinds of matrix, for both towers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.plots.tower_grid import TOWER_TITLES, GridCell, TowerGrid

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import MatrixChange
    from clipsvd_app.ui.kit.plots.plot_widget import Rows

KINDS = ("q", "k", "v", "o", "fc1", "fc2")
KIND_TITLES = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "attention output",
    "fc1": "MLP in",
    "fc2": "MLP out",
}


class LayersPicture(TowerGrid):
    """A square a matrix."""

    matrix_clicked = Signal(object)
    """The name of the matrix (str)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("matrix", parent)
        self._matrices: tuple[MatrixChange, ...] = ()
        self.setAccessibleName("Relative change of the weight matrices")
        self.cell_chosen.connect(self.matrix_clicked)

    def set_matrices(self, matrices: tuple[MatrixChange, ...]) -> None:
        """Show the changes."""
        self._matrices = matrices
        self.set_cells(
            tuple(
                GridCell(m.name, m.tower, m.layer, KINDS.index(m.kind), m.relative_change, matrix_sentence(m))
                for m in matrices
            ),
            tuple(KIND_TITLES[kind] for kind in KINDS),
        )

    def data_rows(self) -> Rows:
        header = ("matrix", "tower", "layer", "kind", "relative_change")
        return (
            header,
            *((m.name, m.tower, str(m.layer), m.kind, repr(m.relative_change)) for m in self._matrices),
        )


def matrix_sentence(matrix: MatrixChange) -> str:
    """Say which matrix it is and how much it changed."""
    return (
        f"{TOWER_TITLES[matrix.tower]}, layer {matrix.layer + 1}, {KIND_TITLES[matrix.kind]}: "
        f"changed by {percent(matrix.relative_change)}"
    )
