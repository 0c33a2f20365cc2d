"""Where weights moved, with the sentence about the matrix under the finger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from clipsvd_app.ui.plots.layers_picture import LayersPicture, matrix_sentence
from clipsvd_app.ui.plots.page_parts import Card, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.explanation import MatrixChange

_HINT = "Click a square to see its directions."


class LayersCard(Card):
    """Emits the name of a clicked matrix."""

    matrix_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Where the model changed", parent)
        self.picture = LayersPicture()
        self._matrices: dict[str, MatrixChange] = {}
        self._hint = label(_HINT, "muted")
        self.body.addWidget(self.picture, 1)
        self.body.addWidget(self._hint)
        self.picture.matrix_clicked.connect(self.matrix_chosen)

    def set_matrices(self, matrices: tuple[MatrixChange, ...]) -> None:
        """Show the changes of these matrices."""
        self._matrices = {matrix.name: matrix for matrix in matrices}
        self.picture.set_matrices(matrices)
        self._hint.setText(_HINT)

    def set_chosen(self, name: str) -> None:
        """Mark a matrix and say how much it changed; an empty name takes the mark away."""
        self.picture.set_chosen(name)
        matrix = self._matrices.get(name)
        self._hint.setText(matrix_sentence(matrix) if matrix else _HINT)
