"""Text out of files, tables and fields is shown letter by letter, never read as markup or as a shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProxyStyle

if TYPE_CHECKING:
    from PySide6.QtGui import QPalette
    from PySide6.QtWidgets import QApplication, QWidget


class PlainTextStyle(QProxyStyle):
    """Fusion, with every label and tool tip as plain text unless it asks for more.

    Qt takes a text that looks like markup for markup and opens the files that it names. Names, tables and
    headers come from strangers, so that guess is never made: not by our labels, nor by those inside tool tips
    and Qt's own dialogs, all of which pass here before they are first shown.
    """

    def __init__(self) -> None:
        super().__init__("Fusion")

    def polish(self, thing: QWidget | QPalette | QApplication) -> QPalette | None:  # type: ignore[override]
        """Prepare a widget; a label that would guess the format of its text is told."""
        done: QPalette | None = super().polish(thing)
        if isinstance(thing, QLabel) and thing.textFormat() == Qt.TextFormat.AutoText:
            thing.setTextFormat(Qt.TextFormat.PlainText)
        return done


def literal(text: str) -> str:
    """Return a text for a menu, button or tab, where Qt would read "&" as a shortcut and a tab as its key."""
    return text.replace("&", "&&").replace("\t", " ")
