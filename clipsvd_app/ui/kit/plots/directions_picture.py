"""The singular directions that changed most: how much, which way, and their poles in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal

from clipsvd_app.figures.towers import KIND_TITLES, NO_WORDS
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget, Spot, line_height, sized, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import DirectionChange, MatrixChange
    from clipsvd_app.figures.figure import Rows
    from clipsvd_app.ui.look.theme import Palette

_ROW_EM = 2.0
_RIGHT = Qt.AlignmentFlag.AlignRight


class DirectionsPicture(PlotWidget):
    """A row a direction, strongest effect first. ``direction_chosen`` carries its place among those shown."""

    direction_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._directions: tuple[DirectionChange, ...] = ()
        self._kinds: Mapping[str, str] = {}
        self._chosen = -1
        self.setAccessibleName("Directions that changed most")
        self.setMinimumWidth(320)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_directions(
        self, directions: tuple[DirectionChange, ...], matrices: tuple[MatrixChange, ...]
    ) -> None:
        """Show these; ``matrices`` say of what kind each is."""
        self._kinds = {matrix.name: matrix.kind for matrix in matrices}
        self._directions = tuple(sorted(directions, key=lambda direction: -direction.effect))
        self._chosen = -1
        self.setMinimumHeight(self.sizeHint().height())
        self.say("; ".join(self._sentence(direction) for direction in self._directions))

    @property
    def directions(self) -> tuple[DirectionChange, ...]:
        """What is shown, in order."""
        return self._directions

    def set_chosen(self, place: int) -> None:
        """Mark a row."""
        self._chosen = place
        self.update()

    def title_of(self, direction: DirectionChange) -> str:
        """Return “Image layer 11 · value · direction 5”."""
        kind = KIND_TITLES.get(self._kinds.get(direction.matrix, ""), "")
        middle = f" · {kind}" if kind else ""
        return f"{direction.tower.capitalize()} layer {direction.layer + 1}{middle} · {direction.index + 1}"

    def sizeHint(self) -> QSize:
        em = line_height(self.font())
        return QSize(700, round(em * (1.6 + _ROW_EM * max(1, len(self._directions)))))

    def data_rows(self) -> Rows:
        header = ("matrix", "tower", "layer", "direction", "sigma_base", "sigma", "effect")
        return (
            (*header, "positive", "negative", "threshold"),
            *(
                (
                    d.matrix,
                    d.tower,
                    str(d.layer),
                    str(d.index),
                    repr(d.sigma_base),
                    repr(d.sigma),
                    repr(d.effect),
                    "; ".join(f"{p.text} ({p.score:.3f})" for p in d.positive),
                    "; ".join(f"{p.text} ({p.score:.3f})" for p in d.negative),
                    "" if d.threshold is None else repr(d.threshold),
                )
                for d in self._directions
            ),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        if not self._directions:
            return ()
        em = line_height(self.font())
        columns = self._columns(area)
        painter.setFont(sized(self.font(), 0.85))
        titles = ("Direction", "Singular value", "Effect", "Reads as")
        for (x, width), title in zip(columns, titles, strict=True):
            write(painter, QRectF(x, area.y(), width, em * 1.3), title, palette.color("text_muted"))
        painter.setFont(self.font())
        spots = []
        for place, direction in enumerate(self._directions):
            row = QRectF(area.x(), area.y() + em * (1.4 + _ROW_EM * place), area.width(), em * _ROW_EM)
            self._draw_row(painter, row, columns, direction, palette, chosen=place == self._chosen)
            spots.append(Spot(row, self._sentence(direction), place))
        return tuple(spots)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if spot is not None and isinstance(spot.key, int):
            self._choose(spot.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None or not self._directions:
            super().keyPressEvent(event)
            return
        self._choose(min(max(self._chosen + step, 0), len(self._directions) - 1))

    def _choose(self, place: int) -> None:
        self.set_chosen(place)
        self.direction_chosen.emit(place)

    def _columns(self, area: QRectF) -> tuple[tuple[float, float], ...]:
        """Return (left, width) of name, singular value, effect and words."""
        em = line_height(self.font())
        inner = area.adjusted(em * 0.5, 0, -em * 0.5, 0)
        name = min(em * 15.5, inner.width() * 0.36)
        value = em * 8 if inner.width() > em * 46 else 0.0
        bar = min(em * 7, inner.width() * 0.18)
        gap = em * 0.8
        lefts = (inner.x(), inner.x() + name + gap, inner.x() + name + value + 2 * gap)
        last = lefts[2] + bar + gap
        return ((lefts[0], name), (lefts[1], value), (lefts[2], bar), (last, inner.right() - last))

    def _draw_row(
        self,
        painter: QPainter,
        row: QRectF,
        columns: tuple[tuple[float, float], ...],
        direction: DirectionChange,
        palette: Palette,
        *,
        chosen: bool,
    ) -> None:
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color("accent_soft"))
            painter.drawRoundedRect(row, 4, 4)
        cells = [QRectF(x, row.y(), width, row.height()) for x, width in columns]
        write(painter, cells[0], self.title_of(direction), palette.color("text"))
        if cells[1].width() > 0:
            change = f"{direction.sigma_base:.2f} → {direction.sigma:.2f}"
            write(painter, cells[1], change, palette.color("text_muted"))
        largest = self._directions[0].effect
        share = direction.effect / largest if largest else 0.0
        bar = QRectF(cells[2].x(), row.center().y() - 4, max(2.0, cells[2].width() * share), 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("accent"))
        painter.drawRoundedRect(bar, 3, 3)
        words = _words(direction)
        role = "text_faint" if words == NO_WORDS else "text"
        write(painter, cells[3], words, palette.color(role))

    def _sentence(self, direction: DirectionChange) -> str:
        verb = "strengthened" if direction.sigma > direction.sigma_base else "weakened"
        return f"{self.title_of(direction)}: {verb}, effect {direction.effect:.3g}, {_words(direction)}"


def _words(direction: DirectionChange) -> str:
    poles = [pole[0].text for pole in (direction.positive, direction.negative) if pole]
    return "  ↔  ".join(poles) or NO_WORDS
