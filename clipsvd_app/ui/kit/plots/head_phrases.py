"""What one attention head writes, before and after, against what chance reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt

from clipsvd_app.ui.kit.plots.heads_picture import NO_WORDS, head_sentence
from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    hairline,
    line_height,
    sized,
    write,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import HeadChange, HeadReading, Phrase
    from clipsvd_app.ui.look.theme import Palette

_TITLES = ("Before adaptation", "After adaptation")
_ROW_EM, _GROUP_EM, _FOOT_EM = 1.7, 1.7, 1.8
_RIGHT = Qt.AlignmentFlag.AlignRight


class HeadPhrases(PlotWidget):
    """A bar a phrase: the share of the head's variance it explains; the dashed line is the null."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head: HeadChange | None = None
        self._told = False
        self.setAccessibleName("Phrases of one head")
        self.setMinimumWidth(280)

    def set_head(self, head: HeadChange | None, *, told: bool) -> None:
        """Show a head; without ``told`` no phrase is named, whatever the head's own null says."""
        self._head, self._told = head, told
        self.setMinimumHeight(self.sizeHint().height())
        self.say("" if head is None else f"{head_sentence(head)}. " + " ".join(self._sentences()))

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        rows = sum(max(1, len(self._phrases(reading))) for reading in self._readings())
        return QSize(420, round(em * (_GROUP_EM * 2 + _ROW_EM * max(2, rows) + _FOOT_EM + 0.6)))

    def data_rows(self) -> Rows:
        rows = [("state", "phrase", "share_of_variance", "threshold")]
        for title, reading in zip(("before", "after"), self._readings(), strict=False):
            if reading is None:
                continue
            shown = [(phrase.text, phrase.score) for phrase in self._phrases(reading)]
            for text, score in shown or [(NO_WORDS, reading.best)]:
                rows.append((title, text, repr(score), repr(reading.threshold)))
        return tuple(rows)

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        readings = self._readings()
        if not any(readings):
            return ()
        em = line_height(self.font())
        known = [reading for reading in readings if reading is not None]
        top = max(max(reading.best, reading.threshold) for reading in known) * 1.1 or 1.0
        axis = QRectF(area.x() + area.width() * 0.56, area.y(), area.width() * 0.44 - em * 3.2, 0)
        spots: list[Spot] = []
        y = area.y()
        for title, reading in zip(_TITLES, readings, strict=True):
            painter.setFont(sized(self.font(), 0.9))
            write(painter, QRectF(area.x(), y, area.width(), em * 1.3), title, palette.color("text_muted"))
            y += em * 1.4
            painter.setFont(self.font())
            y = self._draw_reading(
                painter, reading, QRectF(area.x(), y, area.width(), 0), axis, top, palette, spots
            )
            y += em * 0.3
        painter.setFont(sized(self.font(), 0.85))
        foot = QRectF(area.x(), y, area.width(), em * 1.4)
        write(
            painter,
            foot,
            "Bars: share of the head's variation. Dashed: what chance reaches for a first phrase.",
            palette.color("text_muted"),
        )
        return tuple(spots)

    def _draw_reading(
        self,
        painter: QPainter,
        reading: HeadReading | None,
        at: QRectF,
        axis: QRectF,
        top: float,
        palette: Palette,
        spots: list[Spot],
    ) -> float:
        """Draw one state's rows from ``at`` downwards and return where they end."""
        em = line_height(self.font())
        height = em * _ROW_EM
        if reading is None:
            write(
                painter, QRectF(at.x(), at.y(), at.width(), height), "not read", palette.color("text_faint")
            )
            return at.y() + height
        phrases = self._phrases(reading)
        rows = [(phrase.text, phrase.score, True) for phrase in phrases] or [(NO_WORDS, reading.best, False)]
        for place, (text, score, is_told) in enumerate(rows):
            row = QRectF(at.x(), at.y() + place * height, at.width(), height)
            name = QRectF(row.x(), row.y(), axis.x() - row.x() - em * 0.6, height)
            write(painter, name, text, palette.color("text" if is_told else "text_faint"))
            bar = QRectF(axis.x(), row.center().y() - 4, max(2.0, axis.width() * max(0.0, score) / top), 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color("accent" if is_told else "text_faint"))
            painter.drawRoundedRect(bar, 3, 3)
            number = QRectF(row.right() - em * 3.0, row.y(), em * 3.0, height)
            write(painter, number, f"{100 * score:.1f} %", palette.color("text_muted"), _RIGHT)
            spots.append(Spot(row, _row_sentence(text, score, reading, first=place == 0), place))
        bottom = at.y() + len(rows) * height
        x = axis.x() + axis.width() * reading.threshold / top
        painter.setPen(hairline(palette.color("warning"), dashed=True, width=1.5))
        # every further phrase is held to a lower line of its own, of what the ones before it leave over
        painter.drawLine(QPointF(x, at.y() + 1), QPointF(x, at.y() + height - 1))
        return bottom

    def _readings(self) -> tuple[HeadReading | None, ...]:
        return () if self._head is None else (self._head.before, self._head.after)

    def _phrases(self, reading: HeadReading | None) -> tuple[Phrase, ...]:
        return reading.phrases if reading is not None and self._told else ()

    def _sentences(self) -> list[str]:
        return [
            f"{title}: {'; '.join(p.text for p in self._phrases(reading)) or NO_WORDS} "
            f"(best {reading.best:.3f}, threshold {reading.threshold:.3f})."
            for title, reading in zip(_TITLES, self._readings(), strict=False)
            if reading is not None
        ]


def _row_sentence(text: str, score: float, reading: HeadReading, *, first: bool) -> str:
    said = f"{text}: {100 * score:.1f} % of the variation"
    if first:
        return f"{said}; chance reaches {100 * reading.threshold:.1f} %"
    return f"{said}, more than chance reaches once the phrases above are taken out"
