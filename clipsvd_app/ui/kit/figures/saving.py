"""What every picture of numbers offers: its context menu, a button and Ctrl+S save picture and numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from clipsvd_app.domain.spreadsheet import csv_text
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.outputs import require_file, write_whole
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.figures.figure import Rows


class Savable(QWidget):
    """A picture of numbers; what goes wrong in saving is told by ``failed``."""

    failed = Signal(object)
    """A UserError, or None where saving went well."""

    forms: ClassVar[tuple[str, ...]] = ("svg", "png")
    """What the picture can be saved as, by suffix."""

    def data_rows(self) -> Rows:
        """Return the numbers shown, header first, unrounded."""
        raise NotImplementedError

    def picture(self, form: str) -> bytes:
        """Return the picture on white, in one of the ``forms``."""
        raise NotImplementedError

    def save_picture(self, path: Path) -> None:
        """Write the picture in the form of the suffix."""
        write_whole(path, self.picture(path.suffix.lower().lstrip(".")))

    def save_rows(self, path: Path) -> None:
        """Write ``data_rows`` as CSV (RFC 4180, UTF-8)."""
        write_whole(path, csv_text(self.data_rows()).encode())

    def save_menu(self) -> QMenu:
        """Return the menu that saves the picture or its numbers."""
        menu = QMenu(self)
        for form in self.forms:
            ask = partial(self._ask, f"Pictures (*.{form})", f".{form}", self.save_picture)
            menu.addAction(f"Save as picture, {form.upper()}…", ask)
        menu.addAction("Save as numbers, CSV…", partial(self._ask, "Tables (*.csv)", ".csv", self.save_rows))
        return menu

    def open_save_menu(self, place: QPoint) -> None:
        """Offer to save the picture or its numbers, at a place of the screen."""
        menu = self.save_menu()
        menu.exec(place)
        menu.deleteLater()

    def say(self, description: str) -> None:
        """Set what a screen reader says, and redraw."""
        self.setAccessibleDescription(description)
        self.updateGeometry()
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.open_save_menu(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Save):
            self.open_save_menu(self.mapToGlobal(self.rect().center()))
        else:
            super().keyPressEvent(event)

    def _ask(self, kinds: str, suffix: str, save: Callable[[Path], None]) -> None:
        ask_and_save(self, self.accessibleName(), kinds, suffix, save, self.failed.emit)


def save_button(plot: Savable) -> QPushButton:
    """Return the button that stands beside a picture and offers what its context menu does."""
    button = QPushButton("Save…")
    set_kind(button, "quiet")
    button.setToolTip("Save this figure or its numbers (Ctrl+S while it has the focus)")
    button.setAccessibleName(f"Save: {plot.accessibleName()}")
    button.clicked.connect(lambda: plot.open_save_menu(button.mapToGlobal(button.rect().bottomLeft())))
    return button


def ask_and_save(
    parent: QWidget,
    title: str,
    kinds: str,
    suffix: str,
    save: Callable[[Path], None],
    tell: Callable[[UserError | None], None],
) -> None:
    """Ask where to, save there, and tell what went wrong, or None."""
    suggested = title.lower().replace(" ", "-") + suffix
    name, _ = QFileDialog.getSaveFileName(parent, "Save", suggested, kinds)
    if not name:
        return
    path = Path(name) if Path(name).suffix else Path(name + suffix)
    try:
        require_file(path, overwrite=bool(Path(name).suffix))  # the dialog asked about the name it saw
        save(path)
    except UserError as error:
        tell(error)
    else:
        tell(None)
