"""A part of an explanation: its words, how they are known, its picture, and ways to take them along."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from clipsvd_app.domain.spreadsheet import csv_text
from clipsvd_app.services.files.outputs import write_whole
from clipsvd_app.ui.kit.figures.saving import ask_and_save
from clipsvd_app.ui.kit.page_parts import Card, button, label
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clipsvd_app.domain.words.statement import Statement
    from clipsvd_app.ui.kit.figures.saving import Savable


HOW = "How do we know?"


class PartCard(Card):
    """Its first sentence, the picture, and, once the (i) is pressed, how it is known, in this order.

    “Save…” writes picture, numbers or words; “Copy text” puts the words on the clipboard.
    Signal: ``failed(UserError, or None where saving went well)``.
    """

    failed = Signal(object)

    def __init__(self, title: str, plot: Savable | None = None, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._name, self._plot = title, plot
        self._statements: tuple[Statement, ...] = ()
        self._rows: tuple[tuple[str, str], ...] = ()
        self._copy = button("Copy text", "quiet", hint="Copy the text of this section to the clipboard")
        self._copy.setAccessibleName(f"Copy the text: {title}")
        self._save = button("Save…", "quiet", hint="Save this section as figure, numbers or text")
        self._save.setAccessibleName(f"Save: {title}")
        self.sentence = label("")
        self.how = label("", "small")
        self.how.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.info = QToolButton()
        self.info.setText("i")
        set_kind(self.info, "info")
        self.info.setCheckable(True)
        self.info.setToolTip(HOW)
        self.info.setAccessibleName(f"{HOW} {title}")
        self.head.insertWidget(1, self.info)
        self.head.addWidget(self._copy)
        self.head.addWidget(self._save)
        self.body.addWidget(self.sentence)
        if plot is not None:
            self.body.addWidget(plot)
            plot.failed.connect(self.failed)
        self.body.addWidget(self.how)
        self.info.toggled.connect(self.how.setVisible)
        self._copy.clicked.connect(self._put_on_clipboard)
        self._save.clicked.connect(self._open_menu)
        self.set_words()

    def set_words(self, *statements: Statement, shown: bool = True) -> None:
        """Say these; sentences that stand on the page already are only saved and copied (not ``shown``)."""
        self._statements = statements
        self.sentence.setText(" ".join(statement.text for statement in statements))
        self.sentence.setVisible(shown and bool(self.sentence.text()))
        self.how.setText("\n".join(dict.fromkeys(statement.how_we_know for statement in statements)))
        self.info.setVisible(bool(self.how.text()))
        self.how.setVisible(self.info.isChecked() and bool(self.how.text()))

    def set_rows(self, rows: tuple[tuple[str, str], ...]) -> None:
        """Take figures by name along with the words, for a part without a picture of numbers."""
        self._rows = rows

    def text(self) -> str:
        """Return the whole part as plain text."""
        lines = [self._name]
        for statement in self._statements:
            lines += [statement.text, f"How we know: {statement.how_we_know}"]
        lines += [f"{name}: {value}" for name, value in self._rows]
        if self._plot is not None and self._plot.accessibleDescription():
            lines.append(self._plot.accessibleDescription())
        return "\n".join(lines) + "\n"

    def save_menu(self) -> QMenu:
        """Return the menu of what can be saved."""
        menu = QMenu(self) if self._plot is None else self._plot.save_menu()
        if self._plot is None:
            menu.addAction("Save as table, CSV…", partial(self._ask, "Tables (*.csv)", ".csv", self._table))
        menu.addAction("Save as text…", partial(self._ask, "Texts (*.txt)", ".txt", self.text))
        return menu

    def _table(self) -> str:
        heading = ("figure", "value") if self._rows else ("statement", "how_we_know")
        said = [(statement.text, statement.how_we_know) for statement in self._statements]
        return csv_text([heading, *(self._rows or said)])

    def _open_menu(self) -> None:
        menu = self.save_menu()
        menu.exec(self._save.mapToGlobal(self._save.rect().bottomLeft()))
        menu.deleteLater()

    def _put_on_clipboard(self) -> None:
        QGuiApplication.clipboard().setText(self.text())

    def _ask(self, kinds: str, suffix: str, content: Callable[[], str]) -> None:
        def save(path: Path) -> None:
            write_whole(path, content().encode())

        ask_and_save(self, self._name, kinds, suffix, save, self.failed.emit)
