"""A sentence with the line that says how it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clipsvd_app.ui.plots.page_parts import GAP, button, empty, label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.explanation import Statement

HOW = "How do we know?"


class HowLine(QWidget):
    """Folded away until it is asked for; without text it hides."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ask = button(HOW, "quiet")
        self._ask.setCheckable(True)
        self._text = label("", "small")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._ask, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._text)
        self._ask.toggled.connect(self._text.setVisible)

    def set_text(self, text: str) -> None:
        """Say how it is known."""
        self._text.setText(text)
        self.setVisible(bool(text))

    def text(self) -> str:
        """Return what is said when it is unfolded."""
        return self._text.text()

    def unfold(self) -> None:
        """Show the line."""
        self._ask.setChecked(True)


class Statements(QWidget):
    """Sentences one below the other, each with its own line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)

    def set_statements(self, statements: Iterable[Statement]) -> None:
        """Show these; what was unfolded before is folded again."""
        empty(self._column)
        for statement in statements:
            pair, inner = QWidget(), QVBoxLayout()
            inner.setContentsMargins(0, 0, 0, 0)
            inner.setSpacing(0)
            pair.setLayout(inner)
            sentence = label(statement.text)
            sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            how = HowLine()
            how.set_text(statement.how_we_know)
            inner.addWidget(sentence)
            inner.addWidget(how)
            self._column.addWidget(pair)
