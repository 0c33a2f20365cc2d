"""A window with everything that the header of the shown file says; nothing of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSortFilterProxyModel, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTreeView,
    QWidget,
)

from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import button, label
from clipsvd_app.ui.kit.window_place import open_at_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtCore import QModelIndex, QPersistentModelIndex

    from clipsvd_app.imaging.header_listing import HeaderRow

HEADINGS = ("Tag", "Name", "VR", "Value")
TAG, NAME, VR, VALUE = range(len(HEADINGS))
HINT = "Read from the file and not stored. It may contain the patient's name."
READING = "Reading the header…"
LONGEST_TIP = 2_000
LONGEST_CELL = 400  # the whole value is copied, and what fits stands in the tool tip
WHOLE_ROLE = Qt.ItemDataRole.UserRole
TAG_PX, NAME_PX, VR_PX = 128, 250, 44


class HeaderDialog(QDialog):
    """Lists elements as a tree that is searched while one types; the window beneath stays in use."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Header")
        open_at_size(self, 760, 620)
        self._model = QStandardItemModel(0, len(HEADINGS), self)
        self._found = _Found(self)
        self._found.setSourceModel(self._model)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a tag, name or value")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Find in the header")
        self.said = label("", "muted")
        self.tree = QTreeView()
        self.copy = button("Copy value", hint="Copy the full value of the selected element (Ctrl+C)")
        self._prepare()
        self._arrange()
        self.show_reading("")

    def show_rows(self, title: str, rows: tuple[HeaderRow, ...]) -> None:
        """Show the elements of a file; the search stays."""
        self.setWindowTitle(f"Header of {title}")
        self._model.removeRows(0, self._model.rowCount())
        _fill(self._model.invisibleRootItem(), rows)
        self._say("")
        self._search()

    def show_reading(self, title: str) -> None:
        """Show that a header is being read."""
        self.show_error(title, READING if title else "")

    def show_error(self, title: str, sentence: str) -> None:
        """Show one sentence in place of the elements."""
        self.setWindowTitle(f"Header of {title}" if title else "Header")
        self._model.removeRows(0, self._model.rowCount())
        self._say(sentence)

    def copy_value(self) -> None:
        """Put the whole value of the chosen element on the clipboard."""
        index = self.tree.currentIndex()
        if index.isValid():
            QGuiApplication.clipboard().setText(index.siblingAtColumn(VALUE).data(WHOLE_ROLE) or "")

    def _prepare(self) -> None:
        self._model.setHorizontalHeaderLabels(list(HEADINGS))
        self.tree.setModel(self._found)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setAccessibleName("Elements of the header")
        header = self.tree.header()
        for column, width in ((TAG, TAG_PX), (NAME, NAME_PX), (VR, VR_PX)):
            header.resizeSection(column, width)
        header.setSectionResizeMode(VALUE, QHeaderView.ResizeMode.Stretch)
        copying = QAction("Copy value", self.tree)
        copying.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copying.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copying.triggered.connect(self.copy_value)
        self.tree.addAction(copying)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.copy.setAutoDefault(False)
        self.copy.clicked.connect(self.copy_value)
        self.search.textChanged.connect(lambda _text: self._search())

    def _arrange(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(label(HINT, "small"), 1)
        foot.addWidget(self.copy)
        column = vertical(self, 10, margins=(16, 16, 16, 12))
        column.addWidget(self.search)
        column.addWidget(self.said)
        column.addWidget(self.tree, 1)
        column.addLayout(foot)

    def _say(self, sentence: str) -> None:
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

    def _search(self) -> None:
        words = self.search.text().strip()
        self._found.setFilterFixedString(words)
        if words:
            self.tree.expandAll()
        if self.said.text() in ("", NOTHING_FOUND):
            self._say(NOTHING_FOUND if words and not self._found.rowCount() else "")


NOTHING_FOUND = "No matches in this header."


class _Found(QSortFilterProxyModel):
    """Keeps elements with the words in tag, name or value, and what they lie in and hold."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setRecursiveFilteringEnabled(True)
        self.setAutoAcceptChildRows(True)

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        words, source = self.filterRegularExpression(), self.sourceModel()
        texts = (source.index(row, TAG, parent).data(), source.index(row, NAME, parent).data())
        whole = source.index(row, VALUE, parent).data(WHOLE_ROLE)
        return any(words.match(text or "").hasMatch() for text in (*texts, _bare(texts[0]), whole))


def _bare(tag: str | None) -> str:
    """Return a tag as eight digits, as it is often typed."""
    return (tag or "").strip("()").replace(",", "")


def _fill(parent: QStandardItem, rows: Iterable[HeaderRow]) -> None:
    for row in rows:
        items = [QStandardItem(text) for text in (row.tag, row.name, row.vr, row.value[:LONGEST_CELL])]
        items[VALUE].setData(row.value, WHOLE_ROLE)
        items[VALUE].setToolTip(row.value[:LONGEST_TIP])
        items[NAME].setToolTip(row.name)
        _fill(items[TAG], row.rows)
        parent.appendRow(items)
