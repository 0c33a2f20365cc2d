"""Sentences one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, empty, label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.words.statement import Statement


class Statements(QWidget):
    """Sentences that can be selected; how they are known stands behind the (i) of their card."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = vertical(self, GAP)

    def set_statements(self, statements: Iterable[Statement]) -> None:
        """Show these."""
        empty(self._column)
        for statement in statements:
            sentence = label(statement.text)
            sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._column.addWidget(sentence)
