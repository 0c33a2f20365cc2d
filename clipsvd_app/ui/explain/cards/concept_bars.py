"""The concepts of one image with their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt

from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Rows, Spot, line_height, write

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import Phrase
    from clipsvd_app.ui.look.theme import Palette

_ROW_EM = 1.9


class ConceptBars(PlotWidget):
    """A phrase with its bar; the longest bar is the strongest concept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._concepts: tuple[Phrase, ...] = ()
        self.setAccessibleName("Concepts")

    def set_concepts(self, concepts: tuple[Phrase, ...]) -> None:
        """Show concepts, strongest first."""
        self._concepts = tuple(sorted(concepts, key=lambda phrase: -phrase.score))
        self.setFixedHeight(self.sizeHint().height())
        self.say("; ".join(f"{phrase.text} {phrase.score:.2f}" for phrase in self._concepts))

    def sizeHint(self) -> QSize:
        return QSize(300, round(line_height(self.font()) * _ROW_EM * len(self._concepts)))

    def data_rows(self) -> Rows:
        return (("concept", "weight"), *((phrase.text, repr(phrase.score)) for phrase in self._concepts))

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        em = line_height(self.font())
        top = max((phrase.score for phrase in self._concepts), default=0.0)
        spots = []
        for position, phrase in enumerate(self._concepts):
            row = QRectF(area.x(), area.y() + position * em * _ROW_EM, area.width(), em * _ROW_EM)
            share = max(0.0, phrase.score / top) if top else 0.0
            bar = QRectF(row.right() - em * 10, row.center().y() - 4, em * 7.2 * share, 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color("accent"))
            painter.drawRoundedRect(bar, 4, 4)
            name = QRectF(row.x(), row.y(), row.width() - em * 10.6, row.height())
            write(painter, name, phrase.text, palette.color("text"))
            weight = QRectF(row.right() - em * 2.4, row.y(), em * 2.4, row.height())
            write(
                painter,
                weight,
                f"{phrase.score:.2f}",
                palette.color("text_muted"),
                Qt.AlignmentFlag.AlignRight,
            )
            spots.append(Spot(row, f"{phrase.text}: {phrase.score:.3f}", position))
        return tuple(spots)
