"""What all pictures share: themed painting, tooltips on what is drawn, saving, and rows for a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QToolTip, QWidget

from clipsvd_app.domain.spreadsheet import csv_text
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.outputs import require_file
from clipsvd_app.ui.look.inks import PRINT, palette_in_force
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QColor

    from clipsvd_app.ui.look.theme import Palette

Rows = tuple[tuple[str, ...], ...]
_PICTURE_SCALE = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of the picture that answers the mouse: its place, what it says, and what it stands for."""

    area: QRectF
    text: str
    key: Hashable = None


class PlotPainter(QPainter):
    """Knows which texts :func:`write` had to shorten, so that tooltips can give the whole of them."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.shortened: list[Spot] = []


class PlotWidget(QWidget):
    """A picture of numbers. Subclasses draw, name their spots, and give their numbers as rows.

    Context menu, :func:`save_button` and Ctrl+S save picture and numbers; what goes wrong there is told
    by ``trouble``.
    """

    trouble = Signal(object)
    """A UserError, or None where saving went well."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spots: tuple[Spot, ...] = ()
        self._shortened: tuple[Spot, ...] = ()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        """Draw into ``area`` and return the spots that answer the mouse."""
        raise NotImplementedError

    def data_rows(self) -> Rows:
        """Return the numbers shown, header first, unrounded."""
        raise NotImplementedError

    def save_picture(self, path: Path) -> None:
        """Write the picture on white, as SVG or, by the suffix, as PNG at three times the size."""
        size = self.size() if self.isVisible() else self.sizeHint().expandedTo(self.size())
        if path.suffix.lower() == ".svg":
            self._save_svg(path, size)
        else:
            self._save_png(path, size)

    def save_rows(self, path: Path) -> None:
        """Write ``data_rows`` as CSV (RFC 4180, UTF-8)."""
        try:
            path.write_text(csv_text(self.data_rows()), encoding="utf-8", newline="")
        except OSError as error:
            raise _cannot_write(path) from error

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.open_save_menu(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Save):
            self.open_save_menu(self.mapToGlobal(self.rect().center()))
        else:
            super().keyPressEvent(event)

    def open_save_menu(self, place: QPoint) -> None:
        """Offer to save the picture or its numbers, at a place of the screen."""
        menu = self.save_menu()
        menu.exec(place)
        menu.deleteLater()

    def save_menu(self) -> QMenu:
        """Return the menu that saves the picture or its numbers."""
        menu = QMenu(self)
        for form, kinds, suffix, save in self._forms():
            menu.addAction(f"Save as {form}…", partial(self._ask, kinds, suffix, save))
        return menu

    def _forms(self) -> tuple[tuple[str, str, str, Callable[[Path], None]], ...]:
        return (
            ("picture, SVG", "Pictures (*.svg)", ".svg", self.save_picture),
            ("picture, PNG", "Pictures (*.png)", ".png", self.save_picture),
            ("numbers, CSV", "Tables (*.csv)", ".csv", self.save_rows),
        )

    def _ask(self, kinds: str, suffix: str, save: Callable[[Path], None]) -> None:
        suggested = self.accessibleName().lower().replace(" ", "-") + suffix
        name, _ = QFileDialog.getSaveFileName(self, "Save", suggested, kinds)
        if not name:
            return
        path = Path(name) if Path(name).suffix else Path(name + suffix)
        try:
            require_file(path, overwrite=bool(Path(name).suffix))  # the dialog asked about the name it saw
            save(path)
        except UserError as error:
            self.trouble.emit(error)
        else:
            self.trouble.emit(None)

    def spot_at(self, position: QPointF) -> Spot | None:
        """Return what lies under the mouse; the last drawn wins."""
        return next((spot for spot in reversed(self._spots) if spot.area.contains(position)), None)

    def tip_at(self, position: QPointF) -> str:
        """Return what the tooltip says there: the whole of a shortened text, and what its spot says."""
        whole = next((spot.text for spot in self._shortened if spot.area.contains(position)), "")
        spot = self.spot_at(position)
        said = "" if spot is None else spot.text
        return said if whole in said else f"{whole}\n{said}".strip()

    def say(self, description: str) -> None:
        """Set what a screen reader says, and redraw."""
        self.setAccessibleDescription(description)
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = palette_in_force()
        painter = PlotPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        self._spots = self.draw(painter, QRectF(self.rect()), palette)
        self._shortened = tuple(painter.shortened)
        if self.hasFocus():
            _draw_focus(painter, QRectF(self.rect()), palette)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = QPointF(event.pos())
            said, spot = self.tip_at(at), self.spot_at(at)
            if said:
                area = QRect() if spot is None else spot.area.toAlignedRect()
                QToolTip.showText(event.globalPos(), said, self, area)
            else:
                QToolTip.hideText()
                event.ignore()
            return True
        return super().event(event)

    def _save_svg(self, path: Path, size: QSize) -> None:
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(size)
        generator.setViewBox(QRect(0, 0, size.width(), size.height()))
        generator.setTitle(self.accessibleName())
        generator.setDescription(self.accessibleDescription())
        painter = QPainter()
        if not painter.begin(generator):
            raise _cannot_write(path)
        self._paint_for_print(painter, size)
        painter.end()

    def _save_png(self, path: Path, size: QSize) -> None:
        image = QImage(size * _PICTURE_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(_PICTURE_SCALE)
        image.fill(PRINT.color("panel"))
        painter = QPainter(image)
        self._paint_for_print(painter, size)
        painter.end()
        if not image.save(str(path), "PNG"):  # type: ignore[call-overload]
            raise _cannot_write(path)

    def _paint_for_print(self, painter: QPainter, size: QSize) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        area = QRectF(0, 0, size.width(), size.height())
        painter.fillRect(area, PRINT.color("panel"))
        self.draw(painter, area, PRINT)


def save_button(plot: PlotWidget) -> QPushButton:
    """Return the button that stands beside a picture and offers what its context menu does."""
    button = QPushButton("Save…")
    set_kind(button, "quiet")
    button.setToolTip("Save this figure or its numbers (Ctrl+S while it has the focus)")
    button.setAccessibleName(f"Save: {plot.accessibleName()}")
    button.clicked.connect(lambda: plot.open_save_menu(button.mapToGlobal(button.rect().bottomLeft())))
    return button


def write(
    painter: QPainter,
    area: QRectF,
    text: str,
    colour: QColor,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Write one line into ``area``, vertically centred, shortened with an ellipsis where it is too long."""
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() + 1)
    if shown != text and isinstance(painter, PlotPainter):
        painter.shortened.append(Spot(painter.transform().mapRect(area), text))
    painter.setPen(colour)
    painter.drawText(area, int(align | Qt.AlignmentFlag.AlignVCenter), shown)


def sized(font: QFont, factor: float = 1.0, *, bold: bool = False) -> QFont:
    """Return the font scaled by ``factor``, whether it was set in points or in pixels."""
    copy = QFont(font)
    if font.pixelSize() > 0:
        copy.setPixelSize(max(9, round(font.pixelSize() * factor)))
    else:
        copy.setPointSizeF(max(7.0, font.pointSizeF() * factor))
    if bold:
        copy.setWeight(QFont.Weight.DemiBold)
    return copy


def line_height(font: QFont) -> float:
    """Return the height of one line of text in device-independent pixels."""
    return QFontMetricsF(font).height()


def text_width(font: QFont, texts: Sequence[str]) -> float:
    """Return the width of the widest text."""
    metrics = QFontMetricsF(font)
    return max((metrics.horizontalAdvance(text) for text in texts), default=0.0)


def hairline(colour: QColor, *, dashed: bool = False, width: float = 1.0) -> QPen:
    """Return a thin pen."""
    pen = QPen(colour, width)
    if dashed:
        pen.setDashPattern([3, 3])
    return pen


def _draw_focus(painter: QPainter, area: QRectF, palette: Palette) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(palette.color("accent"), 1.5))
    painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)


def _cannot_write(path: Path) -> UserError:
    return UserError(
        f"{path.name} could not be written.",
        remedy="Choose a folder with write permission.",
        code="not_written",
    )
