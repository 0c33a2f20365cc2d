"""A hand on the real window: it waits, clicks, types, drops files, and takes pictures."""

from __future__ import annotations

import io
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from PIL import Image
from PySide6.QtCore import QEventLoop, QMimeData, QModelIndex, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLineEdit, QSpinBox, QWidget
from setup_error import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from clipsvd_app.ui.app import Studio
    from clipsvd_app.ui.kit.figures.figure_view import FigureView
    from clipsvd_app.ui.pages import Pages
    from clipsvd_app.ui.session.notices import Notice

WINDOW_PX = (1440, 900)
SETTLE_MS = 400
COLOURS = (256, 160, 128, 96, 64)
LARGEST_BYTES = 300_000
PLAIN = Image.Dither.NONE
T = TypeVar("T", bound=QWidget)


class Hand:
    """Works a window as a person would; nothing is waited for longer than ``patience_s``."""

    def __init__(self, studio: Studio, patience_s: float) -> None:
        self.studio = studio
        self.window = studio.window
        self._patience_s = patience_s
        self._error: list[Notice] = []
        studio.session.notice.connect(self._hear)

    @property
    def pages(self) -> Pages:
        """The pages, once they are built."""
        assert self.studio.pages is not None
        return self.studio.pages

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; an error notice or lost patience ends it with a sentence."""
        deadline = time.monotonic() + self._patience_s
        while not condition():
            if self._error:
                notice = self._error[0]
                raise SetupError(f"While waiting for {what}: {notice.message}", remedy=notice.remedy)
            if time.monotonic() > deadline:
                raise SetupError(
                    f"Waited {self._patience_s:.0f} s for {what}.",
                    remedy="Try again when the machine is less busy, or with a larger --patience.",
                )
            _rest(30)

    def settle(self) -> None:
        """Let pictures arrive and layouts come to rest."""
        self.until(lambda: not self.studio.session.background.busy, "the pictures")
        _rest(SETTLE_MS)

    def go(self, page: str) -> None:
        """Show a page."""
        self.window.show_page(page)
        self.settle()

    def press(self, text: str, inside: QWidget) -> None:
        """Press the button or choice with this text."""
        for found in inside.findChildren(QAbstractButton):
            if found.isVisible() and text in (found.text(), found.accessibleName()):
                self.until(found.isEnabled, f"the button “{text}”")
                found.click()
                _rest(50)
                return
        raise AssertionError(f"no visible button {text!r}")

    def set_number(self, name: str, value: int, inside: QWidget) -> None:
        """Put a number into the field of this accessible name."""
        _named(QSpinBox, name, inside).setValue(value)

    def type_into(self, name: str, text: str, inside: QWidget) -> None:
        """Replace what stands in the field of this accessible name."""
        field = _named(QLineEdit, name, inside)
        field.selectAll()
        QTest.keyClicks(field, text)

    def key(self, key: Qt.Key, widget: QWidget) -> None:
        """Press a key in a widget."""
        widget.setFocus()
        QTest.keyClick(widget, key)
        _rest(50)

    def click_row(self, view: QAbstractItemView, row: int) -> None:
        """Click an entry of a list or table."""
        index = view.model().index(row, 0, QModelIndex())
        place = view.visualRect(index).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def click_spot(self, view: FigureView, key: object) -> None:
        """Click the part of a figure that stands for ``key``."""
        spots = (spot for panel in view.figure.panels for spot in panel.spots)
        spot = next(spot for spot in spots if spot.key == key)
        under, place = view.under(view.place_of(spot))
        QTest.mouseClick(under, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        _rest(50)

    def drop(self, paths: Sequence[Path], widget: QWidget) -> None:
        """Drop files onto a widget, as the file manager does."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        place, left, plain = QPoint(20, 20), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        copy = Qt.DropAction.CopyAction
        QApplication.sendEvent(widget, QDragEnterEvent(place, copy, mime, left, plain))
        QApplication.sendEvent(widget, QDropEvent(place.toPointF(), copy, mime, left, plain))

    def photograph(self, name: str, folder: Path) -> None:
        """Save the window in both themes as NAME-dark.png and NAME-light.png; ends in the dark one."""
        for theme in ("dark", "light"):
            self._show_theme(theme)
            _save(self.window.grab().toImage(), folder / f"{name}-{theme}.png", self._exact_colours())
        self._show_theme("dark")

    def _show_theme(self, theme: str) -> None:
        if self.studio.theme.palette.name != theme:
            self.window.action_triggered.emit("view.theme")
        _rest(SETTLE_MS)

    def _exact_colours(self) -> list[int]:
        """Return the colours of the theme as red, green, blue, red, …: rare ones must not be lost."""
        values = {value for value in asdict(self.studio.theme.palette).values() if str(value).startswith("#")}
        colours = [QColor(value) for value in sorted(values)]
        return [part for colour in colours for part in (colour.red(), colour.green(), colour.blue())]

    def _hear(self, notice: Notice) -> None:
        if notice.kind == "error":
            self._error.append(notice)


def _named(kind: type[T], name: str, inside: QWidget) -> T:
    return next(field for field in inside.findChildren(kind) if field.accessibleName() == name)


def _save(picture: QImage, file: Path, exact: list[int]) -> None:
    """Write a palette PNG: a fraction of the size, with no difference that an eye would find."""
    size = (picture.width(), picture.height())
    if size != WINDOW_PX:
        raise SetupError(
            f"The window is {size[0]} × {size[1]} in place of {WINDOW_PX[0]} × {WINDOW_PX[1]}.",
            remedy="Run it as `make screenshots` does, on a screen of that size at 96 dpi.",
        )
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    image = Image.frombytes("RGB", size, bytes(plain.constBits()), "raw", "RGB", plain.bytesPerLine())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_small_enough(image, exact))


def _small_enough(image: Image.Image, exact: list[int]) -> bytes:
    """Return a palette PNG of as many colours as fit into LARGEST_BYTES, ``exact`` ones among them."""
    for colours in COLOURS:
        written = io.BytesIO()
        others = image.quantize(
            colours - len(exact) // 3, Image.Quantize.MEDIANCUT, dither=PLAIN
        ).getpalette()
        palette = Image.new("P", (1, 1))
        palette.putpalette([*exact, *(others or ())][: 3 * colours])
        image.quantize(palette=palette, dither=PLAIN).save(written, "PNG", optimize=True)
        if written.tell() <= LARGEST_BYTES:
            break
    return written.getvalue()


def _rest(milliseconds: int) -> None:
    """Let the window work for a while; unlike QTest.qWait this leaves the interpreter to other threads."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
